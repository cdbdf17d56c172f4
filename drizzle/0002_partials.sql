CREATE TABLE "partial_versions" (
	"partial_id" bigint NOT NULL,
	"version" integer NOT NULL,
	"format" text NOT NULL,
	"source" text NOT NULL,
	"text_source" text,
	"uses" text[] NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "partial_versions_partial_id_version_pk" PRIMARY KEY("partial_id","version"),
	CONSTRAINT "partial_versions_format" CHECK ("partial_versions"."format" in ('mjml', 'html'))
);
--> statement-breakpoint
CREATE TABLE "partials" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "partials_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	"deleted_at" timestamptz
);
--> statement-breakpoint
CREATE TABLE "template_partials" (
	"template_id" bigint NOT NULL,
	"template_version" integer NOT NULL,
	"partial_id" bigint NOT NULL,
	"partial_version" integer NOT NULL,
	CONSTRAINT "template_partials_template_id_template_version_partial_id_pk" PRIMARY KEY("template_id","template_version","partial_id")
);
--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "template_version" integer;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "pinned_version" integer;--> statement-breakpoint
ALTER TABLE "partial_versions" ADD CONSTRAINT "partial_versions_partial_id_partials_id_fk" FOREIGN KEY ("partial_id") REFERENCES "public"."partials"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_partials" ADD CONSTRAINT "template_partials_template" FOREIGN KEY ("template_id","template_version") REFERENCES "public"."template_versions"("template_id","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_partials" ADD CONSTRAINT "template_partials_partial" FOREIGN KEY ("partial_id","partial_version") REFERENCES "public"."partial_versions"("partial_id","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "partials_name" ON "partials" USING btree ("name") WHERE "partials"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "template_partials_of" ON "template_partials" USING btree ("partial_id");--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_template_version" FOREIGN KEY ("template_id","template_version") REFERENCES "public"."template_versions"("template_id","version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
UPDATE "campaigns" c SET "pinned_version" = coalesce((c."snapshot" ->> 'template_version')::integer, t."version") FROM "templates" t WHERE t."id" = c."template_id" AND c."status" <> 'draft';--> statement-breakpoint
UPDATE "template_versions" SET "compiled" = "compiled" || jsonb_build_object('partials', '[]'::jsonb, 'variables', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', v, 'field', 'source', 'lines', '[]'::jsonb, 'inside', null)), '[]'::jsonb) FROM jsonb_array_elements("compiled" -> 'variables') v));
