/**
 * Mail providers that many use, as data: where their IMAP is, and what they take to sign in. Hosts are what they document;
 * a provider that is not here is found by DNS, or by guessing.
 */
export interface MailHost {
  readonly label: string;
  readonly host: string;
  readonly domains: readonly string[];
  /** Names of the servers of domains of its customers (MX), by their ends. */
  readonly exchanges?: readonly string[];
  /** `password`: the ordinary one; `oauth`: only sign-in at the provider. */
  readonly login: 'password' | 'app-password' | 'oauth';
  /** Where an app password is made. */
  readonly appPasswords?: string;
  /** What there is to say before connecting. */
  readonly note?: string;
}

export const MAIL_HOSTS: readonly MailHost[] = [
  {
    label: 'Google',
    host: 'imap.gmail.com',
    domains: ['gmail.com', 'googlemail.com'],
    exchanges: ['google.com', 'googlemail.com'],
    login: 'app-password',
    appPasswords: 'https://myaccount.google.com/apppasswords',
    note: 'Better: connect it as Gmail, by signing in at Google.',
  },
  {
    label: 'Microsoft',
    host: 'outlook.office365.com',
    domains: [
      'outlook.com',
      'hotmail.com',
      'live.com',
      'msn.com',
      'outlook.de',
      'outlook.fr',
      'hotmail.de',
      'hotmail.fr',
      'hotmail.co.uk',
      'live.de',
      'live.co.uk',
    ],
    exchanges: ['mail.protection.outlook.com', 'olc.protection.outlook.com', 'mx.microsoft'],
    login: 'oauth',
  },
  {
    label: 'iCloud',
    host: 'imap.mail.me.com',
    domains: ['icloud.com', 'me.com', 'mac.com'],
    exchanges: ['mail.icloud.com'],
    login: 'app-password',
    appPasswords: 'https://account.apple.com',
  },
  {
    label: 'Yahoo',
    host: 'imap.mail.yahoo.com',
    domains: [
      'yahoo.com',
      'yahoo.de',
      'yahoo.fr',
      'yahoo.co.uk',
      'yahoo.es',
      'yahoo.it',
      'ymail.com',
      'rocketmail.com',
    ],
    exchanges: ['yahoodns.net'],
    login: 'app-password',
    appPasswords: 'https://login.yahoo.com/account/security',
  },
  {
    label: 'AOL',
    host: 'imap.aol.com',
    domains: ['aol.com', 'aim.com'],
    login: 'app-password',
    appPasswords: 'https://login.aol.com/account/security',
  },
  {
    label: 'Fastmail',
    host: 'imap.fastmail.com',
    domains: ['fastmail.com', 'fastmail.fm'],
    exchanges: ['messagingengine.com'],
    login: 'app-password',
    appPasswords: 'https://app.fastmail.com/settings/security',
  },
  {
    label: 'GMX',
    host: 'imap.gmx.net',
    domains: ['gmx.de', 'gmx.net', 'gmx.at', 'gmx.ch'],
    login: 'password',
    note: 'IMAP must first be switched on in the settings of GMX (E-Mail → POP3/IMAP).',
  },
  {
    label: 'GMX',
    host: 'imap.gmx.com',
    domains: ['gmx.com', 'gmx.us', 'gmx.co.uk', 'mail.com'],
    login: 'password',
    note: 'IMAP must first be switched on in the settings of GMX (POP3/IMAP).',
  },
  {
    label: 'WEB.DE',
    host: 'imap.web.de',
    domains: ['web.de'],
    login: 'password',
    note: 'IMAP must first be switched on in the settings of WEB.DE (E-Mail → POP3/IMAP).',
  },
  {
    label: 'Telekom',
    host: 'secureimap.t-online.de',
    domains: ['t-online.de', 'magenta.de'],
    login: 'app-password',
    appPasswords: 'https://account.idm.telekom.com',
    note: 'Telekom wants a password made for mail programs.',
  },
  { label: 'freenet', host: 'mx.freenet.de', domains: ['freenet.de'], login: 'password' },
  { label: 'Posteo', host: 'posteo.de', domains: ['posteo.de', 'posteo.net'], login: 'password' },
  { label: 'mailbox.org', host: 'imap.mailbox.org', domains: ['mailbox.org'], login: 'password' },
  { label: 'Orange', host: 'imap.orange.fr', domains: ['orange.fr', 'wanadoo.fr'], login: 'password' },
  { label: 'Free', host: 'imap.free.fr', domains: ['free.fr'], login: 'password' },
  { label: 'Libero', host: 'imapmail.libero.it', domains: ['libero.it'], login: 'password' },
  { label: 'Bluewin', host: 'imaps.bluewin.ch', domains: ['bluewin.ch'], login: 'password' },
  {
    label: 'Zoho',
    host: 'imap.zoho.com',
    domains: ['zoho.com', 'zohomail.com'],
    exchanges: ['zoho.com'],
    login: 'app-password',
    appPasswords: 'https://accounts.zoho.com/home#security/app_password',
  },
  {
    label: 'Yandex',
    host: 'imap.yandex.com',
    domains: ['yandex.com', 'yandex.ru', 'ya.ru'],
    exchanges: ['yandex.net', 'yandex.ru'],
    login: 'app-password',
    appPasswords: 'https://id.yandex.com/security/app-passwords',
  },
];

/** What the provider of a server wants, by the name of the server. */
export function wantsOf(host: string): MailHost | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (/(^|\.)(office365|outlook|hotmail)\.com$/.test(name)) return MAIL_HOSTS.find(({ login }) => login === 'oauth');
  return MAIL_HOSTS.find((one) => one.host === name);
}
