ALTER TABLE "dead_letters" ADD COLUMN "dealer_id" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "group_id" text;--> statement-breakpoint
CREATE INDEX "dead_letters_group" ON "dead_letters" USING btree ("dealer_id","group_id");