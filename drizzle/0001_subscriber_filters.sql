DROP INDEX "subscribers_domain";--> statement-breakpoint
CREATE INDEX "subscribers_created" ON "subscribers" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "subscribers_inactive" ON "subscribers" USING btree ("status","id") WHERE "subscribers"."status" <> 'active';--> statement-breakpoint
CREATE INDEX "subscribers_domain" ON "subscribers" USING btree (lower(split_part("email", '@', 2)),"id");