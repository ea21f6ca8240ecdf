-- The triggers, and what SQLite is to know of an index, are written by hand.
DROP INDEX `groups_updated`;--> statement-breakpoint
ALTER TABLE `groups` ADD `logged` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `groups` ADD `updated_minute` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `dealers` ADD `dealer_logged` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `dealers` ADD `desk_logged` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `dealers` SET `dealer_logged` = `dealer_seq`, `desk_logged` = `desk_seq`;--> statement-breakpoint
UPDATE `groups` SET `logged` = `last_seq`, `updated_minute` = `updated_at` / 60000;--> statement-breakpoint
CREATE INDEX `groups_updated` ON `groups` (`dealer_id`,`updated_minute`);--> statement-breakpoint
CREATE UNIQUE INDEX `events_place` ON `events` (position >> 12,`dealer_id`,`scope`,`seq`);--> statement-breakpoint
CREATE INDEX `events_messages_at` ON `events` (`at`) WHERE type = 'CHAT_MSG';--> statement-breakpoint
CREATE INDEX `events_pageviews_at` ON `events` (`at`) WHERE type = 'UPDATE_PAGEVIEW';--> statement-breakpoint
-- One of all scopes, not one of each: to begin a trigger costs more than the statements that find nothing to do.
CREATE TRIGGER `events_follow` AFTER INSERT ON `events` BEGIN
	UPDATE `groups` SET `logged` = NEW.`seq`, `last_position` = NEW.`position`,
		`last_message_position` = iif(NEW.`seq` = `last_message_seq`, NEW.`position`, `last_message_position`)
		WHERE `dealer_id` = NEW.`dealer_id` AND `group_id` = NEW.`scope` AND `logged` < NEW.`seq` AND `last_position` = NEW.`previous`;
	SELECT raise(ROLLBACK, 'an event of this seq or a later one is there, or the scope has no row') WHERE changes() = 0 AND NEW.`scope` NOT IN ('@dealer', '@desk');
	UPDATE `dealers` SET `desk_logged` = NEW.`seq`, `desk_position` = NEW.`position` WHERE NEW.`scope` = '@desk'
		AND `dealer_id` = NEW.`dealer_id` AND `desk_logged` < NEW.`seq` AND `desk_position` = NEW.`previous`;
	SELECT raise(ROLLBACK, 'an event of this seq or a later one is there, or the scope has no row') WHERE changes() = 0 AND NEW.`scope` = '@desk';
	UPDATE `dealers` SET `dealer_logged` = NEW.`seq`, `dealer_position` = NEW.`position` WHERE NEW.`scope` = '@dealer'
		AND `dealer_id` = NEW.`dealer_id` AND `dealer_logged` < NEW.`seq` AND `dealer_position` = NEW.`previous`;
	SELECT raise(ROLLBACK, 'an event of this seq or a later one is there, or the scope has no row') WHERE changes() = 0 AND NEW.`scope` = '@dealer';
END;--> statement-breakpoint
CREATE TRIGGER `events_stay` BEFORE UPDATE OF `position`, `previous`, `dealer_id`, `seq` ON `events` BEGIN
	SELECT raise(ABORT, 'an event stays where it is');
END;--> statement-breakpoint
-- A conversation that is set aside takes its events to a name that nothing has.
CREATE TRIGGER `events_move` BEFORE UPDATE OF `scope` ON `events`
	WHEN NEW.`scope` IN ('@dealer', '@desk') OR EXISTS (SELECT 1 FROM `groups` WHERE `dealer_id` = NEW.`dealer_id` AND `group_id` = NEW.`scope`) BEGIN
	SELECT raise(ABORT, 'the scope has events of its own');
END;--> statement-breakpoint
-- A conversation goes on after one of its name that is erased, and not out of the log yet.
CREATE TRIGGER `groups_follow` AFTER INSERT ON `groups`
	WHEN EXISTS (SELECT 1 FROM `erasing` WHERE `dealer_id` = NEW.`dealer_id` AND `group_id` = NEW.`group_id`) BEGIN
	UPDATE `groups` SET `logged` = (SELECT max(`last_seq`) FROM `erasing` WHERE `dealer_id` = NEW.`dealer_id` AND `group_id` = NEW.`group_id`)
		WHERE `dealer_id` = NEW.`dealer_id` AND `group_id` = NEW.`group_id`;
END;--> statement-breakpoint
-- Of a million events 4,096 are in a part, and so many of these a dealer's, a scope's, one: what makes SQLite look in each part.
ANALYZE `sqlite_master`;--> statement-breakpoint
DELETE FROM `sqlite_stat1` WHERE `tbl` = 'events';--> statement-breakpoint
INSERT INTO `sqlite_stat1` (`tbl`, `idx`, `stat`) VALUES ('events', 'events_place', '1000000 4096 16 4 1');--> statement-breakpoint
DROP VIEW `messages`;--> statement-breakpoint
DROP VIEW `pageviews`;--> statement-breakpoint
CREATE VIEW `messages` AS select "dealer_id", scope as "group_id", "seq", "id", json_extract(payload, '$.user') as "user", json_extract(payload, '$.adminId') as "admin_id", json_extract(payload, '$.message') as "message", "at" from "events" where ("events"."type" = 'CHAT_MSG' and not exists (select 1 from erasing x
  where x.dealer_id = events.dealer_id and x.group_id = events.scope and events.seq <= x.last_seq));--> statement-breakpoint
CREATE VIEW `pageviews` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.message.url') as "url", json_extract(payload, '$.message.title') as "title", json_extract(payload, '$.message') as "message", "at" from "events" where ("events"."scope" = '@desk' and "events"."type" = 'UPDATE_PAGEVIEW' and not exists (select 1 from erasing x
  where x.dealer_id = events.dealer_id and x.group_id = events.group_id and events.seq <= x.desk_seq));