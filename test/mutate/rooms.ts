/** The rooms that are mutated, each with the tests that answer for it: files, and folders of them. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'src/domain': ['test/domain'],
  'src/protocol': [
    'test/protocol/checker.test.ts',
    'test/protocol/encode.test.ts',
    'test/protocol/words.test.ts',
    'test/protocol/02-envelope.test.ts',
    'test/protocol/05-sending.test.ts',
  ],
  'src/auth': ['test/auth', 'test/protocol/04-tokens.test.ts'],
  'src/store': ['test/journal', 'test/databases', 'test/protocol/11-erasing.test.ts', 'test/protocol/11-lists.test.ts'],
  'src/journal': [
    'test/journal',
    'test/databases',
    'test/protocol/11-erasing.test.ts',
    'test/protocol/11-lists.test.ts',
  ],
  'src/commands': ['test/commands', 'test/protocol/05-sending.test.ts', 'test/protocol/04-tokens.test.ts'],
  'src/conversation': [
    'test/conversation',
    'test/protocol/02-transport.test.ts',
    'test/protocol/03-catching-up.test.ts',
    'test/protocol/03-joining.test.ts',
    'test/protocol/03-recovery.test.ts',
    'test/protocol/03-session.test.ts',
    'test/protocol/04-tokens.test.ts',
    'test/protocol/09-closing.test.ts',
  ],
  'src/doors/websocket': ['test/websocket', 'test/protocol/02-transport.test.ts', 'test/protocol/09-closing.test.ts'],
  'src/doors/http': [
    'test/doors',
    'test/protocol',
    'test/documents',
    'test/security/limits.test.ts',
    'test/security/cursors.test.ts',
    'test/security/adf-cost.test.ts',
  ],
  'src/doors/redis': [
    'test/doors/redis.test.ts',
    'test/doors/dead-letters.test.ts',
    'test/databases/doors-redis-away.test.ts',
  ],
};
