/** [P-7.5] The nodes that serve the database, and whom they have sockets of. */
import { sql } from 'drizzle-orm';
import { all, type Database, list, tuple, valuesOf } from './sql.ts';

/** Somebody of whom a node has a socket. */
export interface Present {
  readonly dealerId: string;
  readonly sender: string;
}

export interface NodeStore {
  /** Notes that a node lives. Answers whether it was known to: one that was forgotten, or marked as dead, must tell again who is there. */
  beat(nodeId: string): Promise<boolean>;
  /** The other nodes that have not been noted to live for so many ms. Of an embedded database no other ever lives. */
  silentNodes(nodeId: string, ms: number): Promise<string[]>;
  /** All nodes that have been noted to live within so many ms. Of an embedded database, none: nobody else ever lives. */
  livingNodes(ms: number): Promise<string[]>;
  /** Those whom a node has sockets of, as the database has it, in one order, after the one given. */
  presencesOf(nodeId: string, limit: number, after?: Present): Promise<Present[]>;
  /** Notes that a node is dead, and that those who went with it are being told of. */
  markDead(nodeId: string): Promise<void>;
  /** Strikes a node off. */
  removeNode(nodeId: string): Promise<void>;
}

/** When a node was heard of that was marked as dead. */
export const DEAD = 0;

/** Methods that both databases have alike. Of an embedded one nobody looks whether its node still lives. */
export const nodesIn = ({ rows }: Database): Pick<NodeStore, 'presencesOf' | 'markDead' | 'removeNode'> => ({
  async presencesOf(nodeId, limit, after) {
    const order = [sql`dealer_id`, sql`sender`];
    const where = all([
      sql`node_id = ${nodeId}`,
      after ? sql`${tuple(order)} > ${valuesOf([after.dealerId, after.sender])}` : null,
    ]);
    const found = await rows(
      sql`select dealer_id, sender from presences where ${where} order by ${list(order)} limit ${limit}`,
    );
    return found.map((row) => ({ dealerId: String(row.dealer_id), sender: String(row.sender) }));
  },

  async markDead(nodeId) {
    await rows(sql`update nodes set seen_at = ${DEAD} where node_id = ${nodeId}`);
  },

  async removeNode(nodeId) {
    await rows(sql`delete from nodes where node_id = ${nodeId}`);
  },
});
