/** Mails like those of a mailbox: 5 KB of headers, 20 to 60 KB of text; the same for the same number. */
export function benchMail(n: number, travel: boolean): Buffer {
  const hops = Array.from(
    { length: 5 },
    (_, hop) =>
      `Received: from relay-${hop}.example.net (relay-${hop}.example.net [192.0.2.${hop + 1}])\r\n` +
      `\tby mx-${hop}.example.org with ESMTPS id ${n.toString(36)}${hop}\r\n\tfor <me@example.org>; Mon, 01 Jun 2026 10:00:0${hop} +0000\r\n`,
  );
  const signature = `DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s1;\r\n${`\tb=${'A'.repeat(70)}\r\n`.repeat(5)}`;
  const fill = `X-Fill: ${'y'.repeat(70)}\r\n`.repeat(40);
  const head =
    `${hops.join('')}${signature}${fill}From: Sender ${n % 50} <sender${n % 50}@example.net>\r\nTo: me@example.org\r\n` +
    `Subject: ${travel ? 'Your booking' : 'News'} ${n}\r\nMessage-ID: <${n}@example.net>\r\nX-Travel: ${travel ? 'yes' : 'no'}\r\n` +
    'Date: Mon, 01 Jun 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n';
  return Buffer.from(head + `<p>${'word '.repeat(15)}</p>\r\n`.repeat(250 + ((n * 7919) % 450)));
}
