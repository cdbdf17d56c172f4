// Networks (autonomous systems) by what they are, as far as it says who came. The numbers and their holders are those of the
// public registries (ARIN, RIPE NCC, APNIC, LACNIC), looked up by holder and chosen by hand: only networks that let
// computers and hardly serve homes, offices or telephones. Gateways that people surf through (Zscaler, Netskope,
// Cloudflare's WARP) are left out on purpose: behind them are people.

/** Clouds and hosters. Nobody reads mail there, machines do. */
const DATA_CENTRES = new Set([
  ...[16509, 14618, 8987], // Amazon
  ...[396982], // Google Cloud, whose tenants it is; 15169 is Google itself
  ...[31898, 36351, 45102, 37963, 132203, 45090, 136907, 55990], // Oracle, IBM, Alibaba, Tencent, Huawei
  ...[14061, 63949, 20473, 24940, 213230, 212317, 16276, 12876], // DigitalOcean, Linode, Vultr, Hetzner, OVH, Scaleway
  ...[51167, 40021, 141995, 8560, 197540, 47583, 26496, 398101], // Contabo, IONOS, netcup, Hostinger, GoDaddy
  ...[33070, 19994, 27357, 202053, 25697, 61098, 54825, 40509], // Rackspace, UpCloud, Exoscale, Equinix Metal, Fly.io
  ...[22612, 32244, 53831, 46606, 26347, 55293, 29802, 31034], // Namecheap, Liquid Web, Bluehost, DreamHost, A2, Hivelocity, Aruba
  ...[36352, 50673, 49981, 21859, 200350, 49505, 9123, 199524], // ColoCrossing, Serverius, Worldstream, Zenlayer, Yandex Cloud, Selectel, Timeweb, G-Core
  ...[9370, 9371, 7684, 23576, 29222, 36007], // Sakura, Naver Cloud, Infomaniak, Kamatera
])

/** Makers of mail gateways. A reader who follows a link through their check still arrives from a network of the reader's own. */
const SECURITY = new Set([
  ...[22843, 26211, 52129], // Proofpoint
  ...[30031, 42427], // Mimecast
  ...[15324, 16417, 21345], // Barracuda, IronPort (Cisco), MessageLabs (Symantec)
])

/** Microsoft: Azure and its tenants, Defender that follows links with ordinary browsers, and Outlook's picture proxy. */
const MICROSOFT = new Set([8075, 8068, 8069, 12076, 3598])

/** Hosters whose addresses are, for a good part, exits of VPNs: people and machines both. 15169 has those of Google's VPN. */
const EXITS = new Set([
  ...[9009, 60068, 212238, 60781, 28753, 30633, 395954, 396362, 59253], // M247, Datacamp, Leaseweb
  ...[8100, 62240, 11878, 40676, 203020, 46562, 136787, 147049, 207137], // QuadraNet, Clouvider, tzulo, Psychz, HostRoyale, Performive, PacketHub
  ...[31173, 209103, 137409, 3223, 51765, 396356, 15169], // 31173 Services, Proton VPN, GSL, Voxility, Creanova, Latitude.sh, Google
])

/**
 * Where Apple's Private Relay comes out, which Mail Privacy Protection uses: Apple itself, and the partners in the list that
 * Apple publishes (mask-api.icloud.com/egress-ip-ranges.csv): Akamai, Cloudflare and Fastly.
 */
const APPLE_RELAY = new Set([714, 6185, 36183, 20940, 13335, 54113])

export type Network = 'data_centre' | 'security' | 'microsoft' | 'exit' | 'apple_relay'

/** @returns null for every other network, and for one that is not known */
export function networkOf(asn: number | null): Network | null {
  if (asn === null) return null
  if (DATA_CENTRES.has(asn)) return 'data_centre'
  if (SECURITY.has(asn)) return 'security'
  if (MICROSOFT.has(asn)) return 'microsoft'
  if (EXITS.has(asn)) return 'exit'
  return APPLE_RELAY.has(asn) ? 'apple_relay' : null
}
