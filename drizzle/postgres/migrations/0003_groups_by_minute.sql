DROP INDEX "groups_updated";--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "updated_minute" bigint GENERATED ALWAYS AS (updated_at / 60000) STORED NOT NULL;--> statement-breakpoint
CREATE INDEX "groups_updated" ON "groups" USING btree ("dealer_id","updated_minute");