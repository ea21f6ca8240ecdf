CREATE TABLE `audit` (
	`dealer_id` text NOT NULL,
	`audit_id` text NOT NULL,
	`at` integer NOT NULL,
	`by` text NOT NULL,
	`action` text NOT NULL,
	`route` text NOT NULL,
	`address` text,
	`detail` text,
	PRIMARY KEY(`dealer_id`, `audit_id`)
);
--> statement-breakpoint
CREATE TABLE `erasing` (
	`dealer_id` text NOT NULL,
	`erasure_id` text NOT NULL,
	`group_id` text,
	`last_seq` integer DEFAULT 0 NOT NULL,
	`desk_seq` integer DEFAULT 0 NOT NULL,
	`last_position` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`dealer_id`, `erasure_id`)
);
--> statement-breakpoint
CREATE INDEX `erasing_group` ON `erasing` (`dealer_id`,`group_id`);--> statement-breakpoint
CREATE TABLE `generations` (
	`dealer_id` text NOT NULL,
	`subject` text NOT NULL,
	`gen` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `subject`)
);
--> statement-breakpoint
CREATE INDEX `generations_dealer` ON `generations` (`dealer_id`,`gen`);--> statement-breakpoint
CREATE INDEX `generations_gen` ON `generations` (`gen`);--> statement-breakpoint
CREATE TABLE `spent_tokens` (
	`dealer_id` text NOT NULL,
	`token_id` text NOT NULL,
	`at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `token_id`)
);
--> statement-breakpoint
CREATE INDEX `spent_tokens_at` ON `spent_tokens` (`at`);--> statement-breakpoint
CREATE INDEX `spent_tokens_expires` ON `spent_tokens` (`expires_at`);--> statement-breakpoint
ALTER TABLE `dealers` ADD `claims` text;--> statement-breakpoint
ALTER TABLE `erasures` ADD `by` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `closed_by` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `holder` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `formerly` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `begins_after` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_formerly` ON `groups` (`dealer_id`,`formerly`) WHERE formerly is not null;--> statement-breakpoint
ALTER TABLE `lead_intents` ADD `customer` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `leads` ADD `customer` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `customer` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
DROP VIEW `messages`;--> statement-breakpoint
DROP VIEW `pageviews`;--> statement-breakpoint
CREATE VIEW `messages` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.user') as "user", json_extract(payload, '$.adminId') as "admin_id", json_extract(payload, '$.message') as "message", "at" from "events" where ("events"."type" = 'CHAT_MSG' and not exists (select 1 from erasing x where x.dealer_id = events.dealer_id and x.group_id = events.group_id
  and events.seq <= case events.scope when '@desk' then x.desk_seq else x.last_seq end));--> statement-breakpoint
CREATE VIEW `pageviews` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.message.url') as "url", json_extract(payload, '$.message.title') as "title", json_extract(payload, '$.message') as "message", "at" from "events" where ("events"."scope" = '@desk' and "events"."type" = 'UPDATE_PAGEVIEW' and not exists (select 1 from erasing x where x.dealer_id = events.dealer_id and x.group_id = events.group_id
  and events.seq <= case events.scope when '@desk' then x.desk_seq else x.last_seq end));