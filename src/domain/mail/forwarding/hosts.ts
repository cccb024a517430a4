/**
 * Mail hosts that ask the address that mails are to be forwarded to whether it wants them, before they forward any. Data:
 * a new one is a line here and a fixture in tests/fixtures/forwarding.
 */
export interface ForwardingHost {
  readonly name: string;
  /** Whole addresses that send nothing but these questions. */
  readonly senders?: readonly string[];
  /** Domains (and what is below them) whose mails are such questions where the subject says so. */
  readonly domains?: readonly string[];
  /** Where the link to say yes leads: hosts (and what is below them) and what the path and query must hold. */
  readonly links: readonly string[];
  readonly yes: RegExp;
}

/** What a link to say yes has in it, where a host has no form of its own. */
const YES = /confirm|verif|activat|accept|approv|bestaet|freischalt|valid|optin|podtverd/i;

export const FORWARDING_HOSTS: readonly ForwardingHost[] = [
  {
    name: 'Gmail',
    senders: ['forwarding-noreply@google.com'],
    links: ['mail.google.com', 'mail-settings.google.com'],
    // The mail has a second one, to say no: uf-…
    yes: /^https:\/\/[^/]+\/mail\/(?:u\/\d+\/)?vf-/,
  },
  {
    name: 'Microsoft',
    domains: ['outlook.com', 'microsoft.com', 'accountprotection.microsoft.com', 'hotmail.com', 'live.com'],
    links: ['live.com', 'outlook.com', 'office.com', 'microsoft.com'],
    yes: YES,
  },
  {
    name: 'Yahoo',
    domains: ['yahoo.com', 'yahooinc.com', 'yahoo-inc.com', 'aol.com'],
    links: ['yahoo.com', 'aol.com'],
    yes: YES,
  },
  { name: 'iCloud', domains: ['apple.com', 'icloud.com'], links: ['apple.com', 'icloud.com'], yes: YES },
  { name: 'Zoho', domains: ['zoho.com', 'zoho.eu', 'zohomail.com'], links: ['zoho.com', 'zoho.eu'], yes: YES },
  {
    name: 'GMX',
    domains: ['gmx.net', 'gmx.de', 'gmx.at', 'gmx.ch', 'gmx.com'],
    links: ['gmx.net', 'gmx.de', 'gmx.at', 'gmx.ch', 'gmx.com'],
    yes: YES,
  },
  { name: 'WEB.DE', domains: ['web.de'], links: ['web.de'], yes: YES },
  { name: 'Fastmail', domains: ['fastmail.com'], links: ['fastmail.com'], yes: YES },
  { name: 'Proton', domains: ['proton.me', 'protonmail.com'], links: ['proton.me', 'protonmail.com'], yes: YES },
  {
    name: 'Yandex',
    domains: ['yandex.ru', 'yandex.com', 'ya.ru'],
    links: ['yandex.ru', 'yandex.com'],
    yes: YES,
  },
  { name: 'Mail.ru', domains: ['mail.ru', 'corp.mail.ru'], links: ['mail.ru'], yes: YES },
  { name: 'Orange', domains: ['orange.fr'], links: ['orange.fr'], yes: YES },
  { name: 'Libero', domains: ['libero.it'], links: ['libero.it'], yes: YES },
  { name: 'Onet', domains: ['onet.pl'], links: ['onet.pl'], yes: YES },
];

/** "Forward" and "confirm" in the languages that these mails come in: a subject has one of each. */
export const FORWARD_WORDS =
  /forward|redirect|weiterleit|umleit|transfert|transf[ée]r|redirection|reenv[íi]|redireccion|inoltr|encaminha|reencaminha|doorst|vidarebefordr|videresend|przekaz|przekierow|пересыл|переадрес|yönlendir|転送|转发|轉寄|轉發|전달/iu;
export const CONFIRM_WORDS =
  /confirm|conferm|potvr|verif|v[ée]rif|activat|approv|best[äa]tig|freischalt|valider|valida|attiv|bevestig|bekräft|bekræft|bekreft|potwierd|weryfik|подтвер|onay|doğrula|確認|确认|確認|확인/iu;
/** A word that says that a code follows. */
export const CODE_WORDS = /code|código|codigo|codice|c[óo]digo|kod|код|kodu|pin|コード|代码|验证码|確認碼|代碼|코드/iu;
