/** What public pages and our own mails show of the house, as the settings have it. Addresses are https. */
export interface Brand {
  brand_name: string | null
  brand_logo_url: string | null
  /** `#rrggbb` in lower case. */
  brand_color: string | null
  home_url: string | null
  privacy_url: string | null
}
