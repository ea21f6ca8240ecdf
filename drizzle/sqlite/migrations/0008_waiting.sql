-- What earlier versions know of who is here, and of what is muted, is written by hand.
CREATE TABLE `admin_reads` (
	`dealer_id` text NOT NULL,
	`group_id` text NOT NULL,
	`admin_id` text NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`dealer_id`, `group_id`, `admin_id`)
);
--> statement-breakpoint
ALTER TABLE `dealers` ADD `bot_spoke_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `dealers` ADD `alone_since` integer DEFAULT 0;--> statement-breakpoint
ALTER TABLE `dealers` ADD `look_at` integer;--> statement-breakpoint
ALTER TABLE `dealers` ADD `is_open` integer DEFAULT true NOT NULL;--> statement-breakpoint
CREATE INDEX `dealers_look` ON `dealers` (`look_at`) WHERE look_at is not null;--> statement-breakpoint
ALTER TABLE `groups` ADD `waiting_since` integer;--> statement-breakpoint
ALTER TABLE `groups` ADD `waiting_for` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `turned_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `marks` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `assignee` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `acted_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `bot_run` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `due` integer;--> statement-breakpoint
UPDATE `dealers` SET `alone_since` = NULL WHERE EXISTS (
	SELECT 1 FROM `chats` c WHERE c.`dealer_id` = `dealers`.`dealer_id` AND c.`place` = '@desk' AND c.`online` = 1);--> statement-breakpoint
-- A mute of before lasts as long from its last event as one of now from its last word.
UPDATE `groups` SET `acted_at` = `updated_at`, `due` = `updated_at` WHERE `muted_by` IS NOT NULL AND `closed` = 0;--> statement-breakpoint
CREATE INDEX `groups_due` ON `groups` (`due`) WHERE due is not null;--> statement-breakpoint
CREATE INDEX `groups_pending` ON `groups` (`dealer_id`,`due`) WHERE due is not null;--> statement-breakpoint
CREATE INDEX `presences_servers` ON `presences` (`dealer_id`) WHERE sender like 'server:%';