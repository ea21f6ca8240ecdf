DROP INDEX `events_key`;--> statement-breakpoint
CREATE UNIQUE INDEX `events_key` ON `events` (`id`,`dealer_id`,`scope`,`sender`) WHERE keyed = 1;