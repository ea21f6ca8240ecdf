ALTER TABLE `dead_letters` ADD `dealer_id` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `group_id` text;--> statement-breakpoint
CREATE INDEX `dead_letters_group` ON `dead_letters` (`dealer_id`,`group_id`);