/** `telle/bot`: a bot for a Telle server, of one function that answers. */
import { Bot as Running } from './bot.ts';
import { settingsOf } from './settings.ts';
import type { Bot, BotOptions } from './types.ts';

export type * from './types.ts';

/**
 * Joins as a server of the dealer, answers what waits for a bot, and stays until `close`, or until the server does not want it back. Several
 * may run side by side: with tokens of the same name, each message is answered once.
 * @throws TypeError where an option is not what it must be
 */
export function createBot(options: BotOptions): Bot {
  return new Running(settingsOf(options));
}
