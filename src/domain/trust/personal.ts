/** Domains whose addresses belong to anyone who asks for one: their signature proves the address, not a company. */
const SHARED = new Set(
  (
    'gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es live.com ' +
    'live.co.uk live.de live.fr msn.com yahoo.com yahoo.co.uk yahoo.co.jp yahoo.de yahoo.fr yahoo.es yahoo.it ymail.com ' +
    'rocketmail.com aol.com icloud.com me.com mac.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de ' +
    'mail.com proton.me protonmail.com pm.me tutanota.com tuta.com fastmail.com fastmail.fm hey.com zoho.com mail.ru ' +
    'yandex.ru yandex.com rambler.ru bk.ru list.ru inbox.ru seznam.cz centrum.cz wp.pl onet.pl o2.pl interia.pl ' +
    'orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it alice.it telenet.be skynet.be ' +
    'ziggo.nl xs4all.nl kpnmail.nl bluewin.ch btinternet.com sky.com virginmedia.com comcast.net verizon.net att.net ' +
    'sbcglobal.net cox.net charter.net bellsouth.net shaw.ca rogers.com bigpond.com optusnet.com.au xtra.co.nz uol.com.br ' +
    'bol.com.br terra.com.br qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net rediffmail.com mailbox.org ' +
    'posteo.de posteo.net'
  ).split(' '),
);

export function isPersonal(domain: string): boolean {
  return SHARED.has(domain);
}
