CREATE TABLE `epochs` (
	`log` text PRIMARY KEY NOT NULL,
	`epoch` text NOT NULL
);
