/** [P-7.5] The nodes that serve the database, and whom they have sockets of. */
import { sql } from 'drizzle-orm';
import type { Database } from './sql.ts';

export interface NodeStore {
  /** Notes that a node lives. Answers whether it was known to: one that was forgotten must tell again who is there. */
  beat(nodeId: string): Promise<boolean>;
  /** The other nodes that have not been noted to live for so many ms. Of an embedded database no other ever lives. */
  silentNodes(nodeId: string, ms: number): Promise<string[]>;
  /** All nodes that have been noted to live within so many ms. Of an embedded database, none: nobody else ever lives. */
  livingNodes(ms: number): Promise<string[]>;
  /** Everybody whom a node has sockets of, as the database has it. */
  presencesOf(nodeId: string): Promise<{ dealerId: string; sender: string }[]>;
  /** Strikes a node off. */
  removeNode(nodeId: string): Promise<void>;
}

/** Methods that both databases have alike. Of an embedded one nobody looks whether its node still lives. */
export const nodesIn = ({ rows }: Database): Pick<NodeStore, 'presencesOf' | 'removeNode'> => ({
  async presencesOf(nodeId) {
    const found = await rows(sql`select dealer_id, sender from presences where node_id = ${nodeId}`);
    return found.map((row) => ({ dealerId: String(row.dealer_id), sender: String(row.sender) }));
  },

  async removeNode(nodeId) {
    await rows(sql`delete from nodes where node_id = ${nodeId}`);
  },
});
