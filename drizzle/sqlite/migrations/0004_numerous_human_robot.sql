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
ALTER TABLE `groups` ADD `holder` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `formerly` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `begins_after` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_formerly` ON `groups` (`dealer_id`,`formerly`) WHERE formerly is not null;