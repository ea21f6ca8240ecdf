CREATE TABLE "audit" (
	"dealer_id" text NOT NULL,
	"audit_id" text NOT NULL,
	"at" bigint NOT NULL,
	"by" text NOT NULL,
	"action" text NOT NULL,
	"route" text NOT NULL,
	"address" text,
	"detail" text,
	CONSTRAINT "audit_dealer_id_audit_id_pk" PRIMARY KEY("dealer_id","audit_id")
);
--> statement-breakpoint
CREATE TABLE "erasing" (
	"dealer_id" text NOT NULL,
	"erasure_id" text NOT NULL,
	"group_id" text,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"desk_seq" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "erasing_dealer_id_erasure_id_pk" PRIMARY KEY("dealer_id","erasure_id")
);
--> statement-breakpoint
CREATE TABLE "generations" (
	"dealer_id" text NOT NULL,
	"subject" text NOT NULL,
	"gen" bigint NOT NULL,
	CONSTRAINT "generations_dealer_id_subject_pk" PRIMARY KEY("dealer_id","subject")
);
--> statement-breakpoint
CREATE TABLE "spent_tokens" (
	"dealer_id" text NOT NULL,
	"token_id" text NOT NULL,
	"at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "spent_tokens_dealer_id_token_id_pk" PRIMARY KEY("dealer_id","token_id")
);
--> statement-breakpoint
DROP VIEW "public"."messages";--> statement-breakpoint
DROP VIEW "public"."pageviews";--> statement-breakpoint
ALTER TABLE "dealers" ADD COLUMN "claims" text;--> statement-breakpoint
ALTER TABLE "erasures" ADD COLUMN "by" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "closed_by" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "holder" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "formerly" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "begins_after" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lead_intents" ADD COLUMN "customer" text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "leads" ADD COLUMN "customer" text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "customer" text DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "erasing_group" ON "erasing" USING btree ("dealer_id","group_id");--> statement-breakpoint
CREATE INDEX "generations_dealer" ON "generations" USING btree ("dealer_id","gen");--> statement-breakpoint
CREATE INDEX "generations_gen" ON "generations" USING btree ("gen");--> statement-breakpoint
CREATE INDEX "spent_tokens_at" ON "spent_tokens" USING btree ("at");--> statement-breakpoint
CREATE INDEX "spent_tokens_expires" ON "spent_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "groups_formerly" ON "groups" USING btree ("dealer_id","formerly") WHERE formerly is not null;--> statement-breakpoint
CREATE VIEW "public"."messages" AS (select "dealer_id", "group_id", "seq", "id", payload::json #>> '{user}' as "user", payload::json #>> '{adminId}' as "admin_id", payload::json #> '{message}' as "message", "at" from "events" where ("events"."type" = 'CHAT_MSG' and not exists (select 1 from erasing x where x.dealer_id = events.dealer_id and x.group_id = events.group_id
  and events.seq <= case events.scope when '@desk' then x.desk_seq else x.last_seq end)));--> statement-breakpoint
CREATE VIEW "public"."pageviews" AS (select "dealer_id", "group_id", "seq", "id", payload::json #> '{message,url}' as "url", payload::json #> '{message,title}' as "title", payload::json #> '{message}' as "message", "at" from "events" where ("events"."scope" = '@desk' and "events"."type" = 'UPDATE_PAGEVIEW' and not exists (select 1 from erasing x where x.dealer_id = events.dealer_id and x.group_id = events.group_id
  and events.seq <= case events.scope when '@desk' then x.desk_seq else x.last_seq end)));