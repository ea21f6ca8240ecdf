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
ALTER TABLE "dealers" ADD COLUMN "claims" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "holder" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "formerly" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "begins_after" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "generations_dealer" ON "generations" USING btree ("dealer_id","gen");--> statement-breakpoint
CREATE INDEX "generations_gen" ON "generations" USING btree ("gen");--> statement-breakpoint
CREATE INDEX "spent_tokens_at" ON "spent_tokens" USING btree ("at");--> statement-breakpoint
CREATE INDEX "spent_tokens_expires" ON "spent_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "groups_formerly" ON "groups" USING btree ("dealer_id","formerly") WHERE formerly is not null;