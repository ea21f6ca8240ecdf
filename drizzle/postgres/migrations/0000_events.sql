CREATE TABLE "chats" (
	"dealer_id" text NOT NULL,
	"admin_id" text NOT NULL,
	"place" text NOT NULL,
	"online" boolean DEFAULT false NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "chats_dealer_id_admin_id_place_pk" PRIMARY KEY("dealer_id","admin_id","place")
);
--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"dead_letter_id" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"payload" text NOT NULL,
	"code" text NOT NULL,
	"message" text NOT NULL,
	"details" text NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dealers" (
	"dealer_id" text PRIMARY KEY NOT NULL,
	"name" text,
	"email" text,
	"phone" text,
	"origins" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"retention_days" integer,
	"dealer_seq" bigint DEFAULT 0 NOT NULL,
	"desk_seq" bigint DEFAULT 0 NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"dealer_id" text NOT NULL,
	"erasure_id" text NOT NULL,
	"digest" text NOT NULL,
	"reason" text NOT NULL,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"pageviews" bigint DEFAULT 0 NOT NULL,
	"users" bigint DEFAULT 0 NOT NULL,
	"leads" bigint DEFAULT 0 NOT NULL,
	"intents" bigint DEFAULT 0 NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "erasures_dealer_id_erasure_id_pk" PRIMARY KEY("dealer_id","erasure_id")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"dealer_id" text NOT NULL,
	"scope" text NOT NULL,
	"seq" bigint NOT NULL,
	"id" text NOT NULL,
	"keyed" boolean DEFAULT false NOT NULL,
	"sender" text NOT NULL,
	"type" text NOT NULL,
	"group_id" text,
	"payload" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "events_dealer_id_scope_seq_pk" PRIMARY KEY("dealer_id","scope","seq")
);
--> statement-breakpoint
CREATE TABLE "groups" (
	"dealer_id" text NOT NULL,
	"group_id" text NOT NULL,
	"online" boolean DEFAULT false NOT NULL,
	"muted" boolean DEFAULT false NOT NULL,
	"muted_by" text,
	"closed" boolean DEFAULT false NOT NULL,
	"unread" bigint DEFAULT 0 NOT NULL,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"last_message_seq" bigint DEFAULT 0 NOT NULL,
	"admin_read" bigint DEFAULT 0 NOT NULL,
	"customer_read" bigint DEFAULT 0 NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "groups_dealer_id_group_id_pk" PRIMARY KEY("dealer_id","group_id")
);
--> statement-breakpoint
CREATE TABLE "lead_intents" (
	"dealer_id" text NOT NULL,
	"group_id" text NOT NULL,
	"fields" text NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	"intent" text NOT NULL,
	CONSTRAINT "lead_intents_dealer_id_group_id_intent_pk" PRIMARY KEY("dealer_id","group_id","intent")
);
--> statement-breakpoint
CREATE TABLE "leads" (
	"dealer_id" text NOT NULL,
	"group_id" text NOT NULL,
	"fields" text NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "leads_dealer_id_group_id_pk" PRIMARY KEY("dealer_id","group_id")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"node_id" text PRIMARY KEY NOT NULL,
	"seen_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "presences" (
	"dealer_id" text NOT NULL,
	"sender" text NOT NULL,
	"node_id" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "presences_dealer_id_sender_node_id_pk" PRIMARY KEY("dealer_id","sender","node_id")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"dealer_id" text NOT NULL,
	"group_id" text NOT NULL,
	"fields" text NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "users_dealer_id_group_id_pk" PRIMARY KEY("dealer_id","group_id")
);
--> statement-breakpoint
CREATE INDEX "chats_online" ON "chats" USING btree ("dealer_id","place") WHERE online;--> statement-breakpoint
CREATE INDEX "erasures_digest" ON "erasures" USING btree ("dealer_id","digest");--> statement-breakpoint
CREATE INDEX "erasures_at" ON "erasures" USING btree ("dealer_id","at","erasure_id");--> statement-breakpoint
CREATE INDEX "events_desk" ON "events" USING btree ("dealer_id","group_id","seq") WHERE scope = '@desk';--> statement-breakpoint
CREATE INDEX "events_pageviews" ON "events" USING btree ("dealer_id","seq") WHERE type = 'UPDATE_PAGEVIEW';--> statement-breakpoint
CREATE UNIQUE INDEX "events_key" ON "events" USING btree ("dealer_id","scope","sender","id") WHERE keyed;--> statement-breakpoint
CREATE INDEX "groups_updated" ON "groups" USING btree ("dealer_id","updated_at","group_id");--> statement-breakpoint
CREATE INDEX "groups_online" ON "groups" USING btree ("dealer_id","group_id") WHERE online;--> statement-breakpoint
CREATE INDEX "lead_intents_created" ON "lead_intents" USING btree ("dealer_id","created_at","group_id","intent");--> statement-breakpoint
CREATE INDEX "leads_created" ON "leads" USING btree ("dealer_id","created_at","group_id");--> statement-breakpoint
CREATE INDEX "presences_node" ON "presences" USING btree ("node_id");--> statement-breakpoint
CREATE INDEX "users_created" ON "users" USING btree ("dealer_id","created_at","group_id");--> statement-breakpoint
CREATE VIEW "public"."messages" AS (select "dealer_id", "group_id", "seq", "id", payload::json #>> '{user}' as "user", payload::json #>> '{adminId}' as "admin_id", payload::json #> '{message}' as "message", "at" from "events" where "events"."type" = 'CHAT_MSG');--> statement-breakpoint
CREATE VIEW "public"."pageviews" AS (select "dealer_id", "group_id", "seq", "id", payload::json #> '{message,url}' as "url", payload::json #> '{message,title}' as "title", payload::json #> '{message}' as "message", "at" from "events" where ("events"."scope" = '@desk' and "events"."type" = 'UPDATE_PAGEVIEW'));