/**
 * What an organisation registers: `mail.example.co.uk` → `example.co.uk`. Knows the second levels that registries of
 * countries sell under, not the whole public suffix list (which would have to be kept up to date): good for finding a
 * known sender and for comparing two hosts, not for deciding who may set a cookie. Undefined for a bare suffix, an IP
 * address or nothing. The host is ASCII and in lower case.
 */
export function organisationalDomain(host: string): string | undefined {
  if (host === '' || host.startsWith('.') || host.endsWith('.') || host.includes('..')) return undefined;
  const labels = host.split('.');
  const top = labels.at(-1)!;
  if (labels.length < 2 || /^\d+$/.test(top)) return undefined;
  const size = top.length === 2 && isSecondLevel(labels.at(-2)!, top) ? 3 : 2;
  return labels.length < size ? undefined : labels.slice(-size).join('.');
}

function isSecondLevel(label: string, top: string): boolean {
  return (GENERIC.has(label) && !(FLAT[top]?.includes(label) ?? false)) || (OWN[top]?.includes(label) ?? false);
}

/** Sold under by most countries that have second levels at all. */
const GENERIC = new Set(['co', 'com', 'net', 'org', 'gov', 'edu', 'ac', 'gob', 'gouv', 'mil', 'govt']);

/** Countries that register directly, where such a label is a name like any other. */
const FLAT: Readonly<Record<string, readonly string[]>> = {
  de: ['ac', 'net', 'org', 'edu', 'mil', 'gov'],
  ch: ['com', 'net', 'org', 'co', 'ac'],
  nl: ['com', 'net', 'org', 'ac'],
  eu: ['co', 'com', 'net', 'org', 'ac'],
  us: ['com', 'net', 'org', 'ac'],
};

const OWN: Readonly<Record<string, readonly string[]>> = {
  uk: ['ltd', 'plc', 'me', 'nhs', 'police', 'sch'],
  jp: ['ne', 'or', 'go', 'ad', 'ed', 'gr', 'lg'],
  kr: ['or', 'ne', 're', 'pe', 'go'],
  au: ['id', 'asn'],
  nz: ['geek', 'gen', 'kiwi', 'school', 'iwi', 'maori'],
  za: ['web', 'law'],
  br: ['tur', 'art', 'blog', 'eco', 'ind', 'inf', 'srv', 'tv', 'emp', 'adv', 'eng', 'med'],
  tr: ['bel', 'gen', 'web', 'biz', 'info', 'tv', 'av', 'dr', 'pol', 'k12', 'name', 'tel'],
  th: ['or', 'go', 'in', 'mi'],
  id: ['or', 'go', 'web', 'sch', 'my', 'biz'],
  in: ['firm', 'gen', 'ind', 'nic', 'res'],
  il: ['muni', 'idf', 'k12'],
  at: ['or', 'gv'],
  pl: ['waw', 'info', 'biz', 'turystyka', 'travel', 'tourism'],
  pt: ['nome', 'publ', 'int'],
  hu: ['utazas', 'hotel', 'info'],
  ro: ['info', 'nom', 'store', 'firm'],
  tw: ['idv', 'game', 'ebiz', 'club'],
  hk: ['idv'],
  sg: ['per'],
  my: ['name'],
  es: ['nom'],
  fr: ['asso', 'nom', 'prd', 'tm'],
};
