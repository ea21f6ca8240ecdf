CREATE TABLE `chats` (
	`dealer_id` text NOT NULL,
	`admin_id` text NOT NULL,
	`place` text NOT NULL,
	`online` integer DEFAULT false NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `admin_id`, `place`)
);
--> statement-breakpoint
CREATE INDEX `chats_online` ON `chats` (`dealer_id`,`place`) WHERE online = 1;--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`dead_letter_id` text PRIMARY KEY NOT NULL,
	`source` text NOT NULL,
	`payload` text NOT NULL,
	`code` text NOT NULL,
	`message` text NOT NULL,
	`details` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `dealers` (
	`dealer_id` text PRIMARY KEY NOT NULL,
	`name` text,
	`email` text,
	`phone` text,
	`origins` text DEFAULT '[]' NOT NULL,
	`retention_days` integer,
	`dealer_seq` integer DEFAULT 0 NOT NULL,
	`desk_seq` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `erasures` (
	`dealer_id` text NOT NULL,
	`erasure_id` text NOT NULL,
	`digest` text NOT NULL,
	`reason` text NOT NULL,
	`last_seq` integer DEFAULT 0 NOT NULL,
	`events` integer DEFAULT 0 NOT NULL,
	`pageviews` integer DEFAULT 0 NOT NULL,
	`users` integer DEFAULT 0 NOT NULL,
	`leads` integer DEFAULT 0 NOT NULL,
	`intents` integer DEFAULT 0 NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `erasure_id`)
);
--> statement-breakpoint
CREATE INDEX `erasures_digest` ON `erasures` (`dealer_id`,`digest`);--> statement-breakpoint
CREATE INDEX `erasures_at` ON `erasures` (`dealer_id`,`at`,`erasure_id`);--> statement-breakpoint
CREATE TABLE `events` (
	`dealer_id` text NOT NULL,
	`scope` text NOT NULL,
	`seq` integer NOT NULL,
	`id` text NOT NULL,
	`keyed` integer DEFAULT false NOT NULL,
	`sender` text NOT NULL,
	`type` text NOT NULL,
	`group_id` text,
	`payload` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `scope`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `events_desk` ON `events` (`dealer_id`,`group_id`,`seq`) WHERE scope = '@desk';--> statement-breakpoint
CREATE INDEX `events_pageviews` ON `events` (`dealer_id`,`seq`) WHERE type = 'UPDATE_PAGEVIEW';--> statement-breakpoint
CREATE UNIQUE INDEX `events_key` ON `events` (`dealer_id`,`scope`,`sender`,`id`) WHERE keyed = 1;--> statement-breakpoint
CREATE TABLE `groups` (
	`dealer_id` text NOT NULL,
	`group_id` text NOT NULL,
	`online` integer DEFAULT false NOT NULL,
	`muted` integer DEFAULT false NOT NULL,
	`muted_by` text,
	`closed` integer DEFAULT false NOT NULL,
	`unread` integer DEFAULT 0 NOT NULL,
	`last_seq` integer DEFAULT 0 NOT NULL,
	`last_message_seq` integer DEFAULT 0 NOT NULL,
	`admin_read` integer DEFAULT 0 NOT NULL,
	`customer_read` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `group_id`)
);
--> statement-breakpoint
CREATE INDEX `groups_updated` ON `groups` (`dealer_id`,`updated_at`,`group_id`);--> statement-breakpoint
CREATE INDEX `groups_online` ON `groups` (`dealer_id`,`group_id`) WHERE online = 1;--> statement-breakpoint
CREATE TABLE `lead_intents` (
	`dealer_id` text NOT NULL,
	`group_id` text NOT NULL,
	`fields` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`intent` text NOT NULL,
	PRIMARY KEY(`dealer_id`, `group_id`, `intent`)
);
--> statement-breakpoint
CREATE INDEX `lead_intents_created` ON `lead_intents` (`dealer_id`,`created_at`,`group_id`,`intent`);--> statement-breakpoint
CREATE TABLE `leads` (
	`dealer_id` text NOT NULL,
	`group_id` text NOT NULL,
	`fields` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `group_id`)
);
--> statement-breakpoint
CREATE INDEX `leads_created` ON `leads` (`dealer_id`,`created_at`,`group_id`);--> statement-breakpoint
CREATE TABLE `nodes` (
	`node_id` text PRIMARY KEY NOT NULL,
	`seen_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `presences` (
	`dealer_id` text NOT NULL,
	`sender` text NOT NULL,
	`node_id` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `sender`, `node_id`)
);
--> statement-breakpoint
CREATE INDEX `presences_node` ON `presences` (`node_id`);--> statement-breakpoint
CREATE TABLE `users` (
	`dealer_id` text NOT NULL,
	`group_id` text NOT NULL,
	`fields` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`dealer_id`, `group_id`)
);
--> statement-breakpoint
CREATE INDEX `users_created` ON `users` (`dealer_id`,`created_at`,`group_id`);--> statement-breakpoint
CREATE VIEW `messages` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.user') as "user", json_extract(payload, '$.adminId') as "admin_id", json_extract(payload, '$.message') as "message", "at" from "events" where "events"."type" = 'CHAT_MSG';--> statement-breakpoint
CREATE VIEW `pageviews` AS select "dealer_id", "group_id", "seq", "id", json_extract(payload, '$.message.url') as "url", json_extract(payload, '$.message.title') as "title", json_extract(payload, '$.message') as "message", "at" from "events" where ("events"."scope" = '@desk' and "events"."type" = 'UPDATE_PAGEVIEW');