-- Written by hand: every event is given its position, scope by scope, and every scope the position of its last.
-- A table is not renamed while a view reads from it.
DROP VIEW `messages`;--> statement-breakpoint
DROP VIEW `pageviews`;--> statement-breakpoint
CREATE TABLE `__new_events` (
	`position` integer PRIMARY KEY NOT NULL,
	`previous` integer NOT NULL,
	`dealer_id` text NOT NULL,
	`scope` text NOT NULL,
	`seq` integer NOT NULL,
	`id` text NOT NULL,
	`keyed` integer DEFAULT false NOT NULL,
	`sender` text NOT NULL,
	`type` text NOT NULL,
	`group_id` text,
	`payload` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_events` (`position`, `previous`, `dealer_id`, `scope`, `seq`, `id`, `keyed`, `sender`, `type`, `group_id`, `payload`, `at`)
SELECT `position`, CASE WHEN `before` = `dealer_id` || '/' || `scope` THEN `position` - 1 ELSE 0 END, `dealer_id`, `scope`, `seq`, `id`, `keyed`, `sender`, `type`, `group_id`, `payload`, `at` FROM (
	SELECT row_number() OVER log AS `position`, lag(`dealer_id` || '/' || `scope`) OVER log AS `before`, `dealer_id`, `scope`, `seq`, `id`, `keyed`, `sender`, `type`, `group_id`, `payload`, `at`
	FROM `events` WINDOW log AS (ORDER BY `dealer_id`, `scope`, `seq`)
);--> statement-breakpoint
DROP TABLE `events`;--> statement-breakpoint
ALTER TABLE `__new_events` RENAME TO `events`;--> statement-breakpoint
CREATE UNIQUE INDEX `events_milestones` ON `events` (`dealer_id`,`scope`,`seq`) WHERE seq % 32 = 0;--> statement-breakpoint
CREATE INDEX `events_desk` ON `events` (`dealer_id`,`group_id`,`seq`) WHERE scope = '@desk';--> statement-breakpoint
CREATE INDEX `events_pageviews` ON `events` (`dealer_id`,`seq`) WHERE type = 'UPDATE_PAGEVIEW';--> statement-breakpoint
CREATE UNIQUE INDEX `events_key` ON `events` (`id`,`dealer_id`,`scope`,`sender`) WHERE keyed = 1;--> statement-breakpoint
ALTER TABLE `dealers` ADD `dealer_position` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `dealers` ADD `desk_position` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `last_position` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `last_message_position` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `__events_seq` ON `events` (`dealer_id`,`scope`,`seq`);--> statement-breakpoint
UPDATE `dealers` AS d SET
	`dealer_position` = coalesce((SELECT `position` FROM `events` AS e
	WHERE e.`dealer_id` = d.`dealer_id` AND e.`scope` = '@dealer' AND e.`seq` = d.`dealer_seq`), 0),
	`desk_position` = coalesce((SELECT `position` FROM `events` AS e
	WHERE e.`dealer_id` = d.`dealer_id` AND e.`scope` = '@desk' AND e.`seq` = d.`desk_seq`), 0);--> statement-breakpoint
UPDATE `groups` AS g SET
	`last_position` = coalesce((SELECT `position` FROM `events` AS e
	WHERE e.`dealer_id` = g.`dealer_id` AND e.`scope` = g.`group_id` AND e.`seq` = g.`last_seq`), 0),
	`last_message_position` = coalesce((SELECT `position` FROM `events` AS e
	WHERE e.`dealer_id` = g.`dealer_id` AND e.`scope` = g.`group_id` AND e.`seq` = g.`last_message_seq`), 0);--> statement-breakpoint
DROP INDEX `__events_seq`;--> statement-breakpoint
CREATE VIEW `messages` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.user') as "user", json_extract(payload, '$.adminId') as "admin_id", json_extract(payload, '$.message') as "message", "at" from "events" where "events"."type" = 'CHAT_MSG';--> statement-breakpoint
CREATE VIEW `pageviews` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.message.url') as "url", json_extract(payload, '$.message.title') as "title", json_extract(payload, '$.message') as "message", "at" from "events" where ("events"."scope" = '@desk' and "events"."type" = 'UPDATE_PAGEVIEW');
