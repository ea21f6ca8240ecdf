declare module 'cluster-key-slot' {
  /** The slot of a cluster, 0 to 16383, that a key or a shard's channel belongs to. */
  export default function slotOf(key: string): number;
}
