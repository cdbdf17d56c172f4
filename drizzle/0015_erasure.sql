ALTER TABLE "suppressions" ADD COLUMN "subscriber_id" bigint;--> statement-breakpoint
CREATE INDEX "feedback_events_unmatched" ON "feedback_events" USING btree ("recipient") WHERE not "feedback_events"."matched" and "feedback_events"."recipient" is not null;--> statement-breakpoint
CREATE INDEX "idempotency_keys_person" ON "idempotency_keys" USING btree (("body" ->> 'id')) WHERE "idempotency_keys"."body" ? 'email';--> statement-breakpoint
CREATE INDEX "suppressions_subscriber" ON "suppressions" USING btree ("subscriber_id") WHERE "suppressions"."subscriber_id" is not null;--> statement-breakpoint
CREATE INDEX "transactional_mails_email" ON "transactional_mails" USING btree (lower("email"));