-- What earlier versions know of who is here, and of what is muted, is written by hand.
CREATE TABLE "admin_reads" (
	"dealer_id" text NOT NULL,
	"group_id" text NOT NULL,
	"admin_id" text NOT NULL,
	"seq" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "admin_reads_dealer_id_group_id_admin_id_pk" PRIMARY KEY("dealer_id","group_id","admin_id")
);
--> statement-breakpoint
ALTER TABLE "dealers" ADD COLUMN "bot_spoke_at" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "dealers" ADD COLUMN "alone_since" bigint DEFAULT 0;--> statement-breakpoint
ALTER TABLE "dealers" ADD COLUMN "look_at" bigint;--> statement-breakpoint
ALTER TABLE "dealers" ADD COLUMN "is_open" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "waiting_since" bigint;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "waiting_for" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "turned_at" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "marks" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "assignee" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "acted_at" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "bot_run" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "due" bigint;--> statement-breakpoint
CREATE INDEX "dealers_look" ON "dealers" USING btree ("look_at") WHERE look_at is not null;--> statement-breakpoint
UPDATE "dealers" d SET "alone_since" = NULL WHERE EXISTS (
	SELECT FROM "chats" c WHERE c."dealer_id" = d."dealer_id" AND c."place" = '@desk' AND c."online");--> statement-breakpoint
-- A mute of before lasts as long from its last event as one of now from its last word.
UPDATE "groups" SET "acted_at" = "updated_at", "due" = "updated_at" WHERE "muted_by" IS NOT NULL AND NOT "closed";--> statement-breakpoint
CREATE INDEX "groups_due" ON "groups" USING btree ("due") WHERE due is not null;--> statement-breakpoint
CREATE INDEX "groups_pending" ON "groups" USING btree ("dealer_id","due") WHERE due is not null;--> statement-breakpoint
CREATE INDEX "presences_servers" ON "presences" USING btree ("dealer_id") WHERE sender like 'server:%';