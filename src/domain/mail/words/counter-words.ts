import type { SubjectLanguage } from './subject-words.ts';

/** Words that speak against travel. How they are written: subject-words.ts. */

/** Advertising. */
export const MARKETING_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `sale|deals|deal|offer|offers|discount*|save|savings|newsletter|free|win|giveaway|sweepstakes|exclusive
last chance|limited time|fares from|from just|from only|bonus|earn|double points|inspiration|discover|explore
get inspired|black friday|cyber monday|hurry|don t miss|best of|where to next|dream|hot|flash|flash sale
top destinations|promo*|ends tonight|ends soon|ends today|escape|summer is|new routes|new route|why not
as low as|price drop|price alert|prices dropped|cheap|unlock|introducing|trending|members only|upgrade your
getaway|getaways|miss you|plan your next|next trip|next getaway|next holiday|next vacation|your wishlist
gift card*|refer a friend|early bird|gift|book now|book early|fare alert|tips|*% off|up to 50|city guide`,
  de: `angebot*|*angebote*|rabatt*|sparen|sparpreis*|spare|newsletter|gratis|gewinn*|gewinnspiel*|exklusiv*|nur heute
nur noch|letzte chance|ab nur|aktion|schnappchen*|inspiration|entdecke*|traumreise*|traumurlaub*|black friday
gunstig*|deal*|bonus|meilen sammeln|pramien*|fruhbucher*|last minute|jetzt buchen|nicht verpassen|sonderpreis*
gutschein*|reduziert|prozent|tipps|reiseziele|vorteil*|die schonsten|preisalarm|geschenk*|sale|neue ziele
willkommensbonus`,
  fr: `offre|offres|promo*|promotion*|reduction*|economisez|newsletter|gratuit*|gagnez|concours|exclusi*
derniere chance|des 19|a partir de|bons plans|bon plan|inspiration|decouvrez|envie de|black friday|ventes flash
vente flash|profitez|soldes|petits prix|idees|evadez vous|destinations|cadeau*|alerte prix|remise*`,
  es: `oferta|ofertas|promo*|descuento*|ahorra*|newsletter|boletin|gratis|gana|sorteo*|exclusiv*|ultima oportunidad
desde solo|inspiracion|descubre*|black friday|aprovecha*|rebajas|chollos|no te pierdas|destinos|precios|regalo*
proxima escapada|alerta de precio|hot sale`,
  it: `offerta|offerte|promo*|sconto|sconti|risparmia*|newsletter|gratis|vinci|concorso|esclusiv*|ultima occasione
a partire da|ispirazione|scopri*|black friday|approfitta*|saldi|non perdere|prezzi|regalo|regala|destinazioni
prossima vacanza`,
  pt: `oferta|ofertas|promo*|desconto*|economize|poupe|newsletter|gratis|ganhe|sorteio*|exclusiv*|ultima chance
a partir de|inspiracao|descubra|black friday|aproveite|saldos|nao perca|precos|destinos|milhas em dobro
presente*`,
  nl: `aanbieding*|korting*|bespaar|nieuwsbrief|gratis|win|winactie|exclusi*|laatste kans|vanaf|actie|inspiratie
ontdek*|black friday|profiteer|deals|deal|mis het niet|voordeel|vroegboek*|bestemmingen|cadeau*|prijsalert|tips`,
  pl: `oferta|oferty|ofert|promocj*|rabat*|znizk*|oszczedz*|newsletter|gratis|wygraj|konkurs*|tylko dzis
ostatnia szansa|juz od|inspiracje|odkryj*|black friday|skorzystaj|wyprzedaz|okazje|okazja|taniej|nie przegap
last minute|first minute|prezent*|kierunki`,
  sv: `erbjudande*|rabatt*|spara|nyhetsbrev*|gratis|vinn|tavling*|exklusiv*|sista chansen|fran endast|fr kr|kampanj*
inspiration|upptack*|black friday|rea|missa inte|billiga|tips|tilbud*|drommeresa|dromresa|resmal|presentkort*
nyhedsbrev*`,
  tr: `firsat*|indirim*|kampanya*|bulten|ucretsiz|hediye*|kazan|kazanin|cekilis*|ozel teklif*|son sans|son gun
baslayan fiyat*|kesfet*|kesfedin|black friday|kacirma*|avantaj*|erken rezervasyon|tl den|mil kazan*|yuzde`,
  ja: `セール|割引|キャンペーン|クーポン|メルマガ|メールマガジン|無料|当たる|プレゼント|限定|お得|特集|おすすめ|ポイント倍|倍ポイント|タイムセール|円から|早割|最安`,
  zh: `优惠|優惠|折扣|特价|特價|促销|促銷|大促|红包|紅包|抽奖|抽獎|赢|限时|限時|低至|起飞价|秒杀|秒殺|省钱|精选|精選|推荐|推薦|会员日|會員日|攻略|元起|黑五|双十一|雙11`,
};

/** About an account, a programme or an opinion, not about a journey. */
export const ACCOUNT_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `password|verify your|verification code|security code|one time code|one time passcode|sign in|log in|login
new device|confirm your email|confirm your e mail|email address|privacy policy|privacy notice|terms of
terms and conditions|miles statement|points statement|account statement|points balance|miles balance
monthly statement|credit card|survey|feedback|how was|how did we do|rate your|review your|leave a review
write a review|your opinion|tell us about|unsubscribe*|subscription|job alert|mentioned you|thanks for joining
elite status|membership`,
  de: `passwort*|kennwort*|verifizier*|bestatigungscode|sicherheitscode|einmalcode|anmeldung bei|anmeldeversuch*
e mail adresse|emailadresse|datenschutz*|nutzungsbedingungen|agb|meilenkonto*|punktestand*|kontoauszug*
kreditkarte*|umfrage*|ihre meinung|deine meinung|wie war|bewerten sie|bewerte|bewertung*|abonnement*|feedback`,
  fr: `mot de passe|code de verification|code de securite|connexion a votre|adresse e mail|adresse email
politique de confidentialite|conditions generales|releve de|votre avis|enquete*|evaluez|carte bancaire
comment s est passe|solde de miles|notez`,
  es: `contrasena|codigo de verificacion|codigo de seguridad|inicio de sesion|correo electronico|politica de privacidad
terminos y condiciones|estado de cuenta|tu opinion|su opinion|encuesta*|valora|que tal|como fue
tarjeta de credito|califica`,
  it: `password|codice di verifica|codice di sicurezza|accesso al|indirizzo email|indirizzo e mail
informativa sulla privacy|termini e condizioni|estratto conto|tua opinione|sondaggio|recensione|valuta
com e andato|com e andata|carta di credito`,
  pt: `senha|palavra passe|codigo de verificacao|codigo de seguranca|inicio de sessao|endereco de email
politica de privacidade|termos de uso|extrato|sua opiniao|pesquisa|avalie|como foi|cartao de credito`,
  nl: `wachtwoord|verificatiecode|beveiligingscode|inlogpoging|inloggen|e mailadres|privacyverklaring|privacybeleid
algemene voorwaarden|puntensaldo|jouw mening|uw mening|enquete|beoordeel|hoe was|creditcard`,
  pl: `haslo|hasla|kod weryfikacyjny|kod bezpieczenstwa|logowanie|adres e mail|polityka prywatnosci
polityki prywatnosci|regulamin*|wyciag|twoja opinia|twoja opinie|ankiet*|ocen|jak minal|karta kredytowa`,
  sv: `losenord*|verifieringskod|sakerhetskod|inloggning|e postadress|integritetspolicy|villkor|kontoutdrag|din asikt
enkat*|undersokning*|betygsatt|hur var|kreditkort|poangsaldo|passord|adgangskode`,
  tr: `sifre*|parola*|dogrulama kodu*|guvenlik kodu*|giris yap*|oturum*|e posta adres*|gizlilik politika*|kvkk
hesap ozet*|gorusunuz*|anket*|degerlendir*|nasildi|nasil gecti|kredi karti*`,
  ja: `パスワード|認証コード|確認コード|ログイン|メールアドレス|プライバシー|利用規約|ご利用明細|アンケート|口コミ|レビュー|会員登録|カードご利用|マイル残高`,
  zh: `密码|密碼|验证码|驗證碼|登录|登入|邮箱|隐私政策|隱私權|服务条款|服務條款|账单|帳單|问卷|問卷|点评|評價|评价|信用卡`,
};

/** Bookings, tickets and journeys of other kinds. */
export const OTHER_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `appointment|appointments|dentist|doctor|webinar|meeting room|support ticket|ticket closed|ticket resolved|bug
pull request|jira|parcel|shipped|delivered|delivery|dispatched|your order|order confirmation|table for
restaurant|gym|yoga|fitness|salon|haircut|vaccination|parking fine|training|lottery|raffle|concert|cinema|movie
podcast|flight jacket|trial|customer journey|test|lesson|library|build|deploy*|bank transfer|money transfer
wire transfer|file transfer|wetransfer|tennis court|court booking|job|hosting|feature flight|oil change
service appointment|tyre*|apartment viewing|student accommodation|viewing|welcome to|yoga class|spin class
your class|your course|course registration|online course|new issue|your package|package has|package delivered
meeting invitation|weekly meeting`,
  de: `termin|arzttermin|arzt|zahnarzt*|webinar*|besprechung*|meeting|support ticket|paket|pakete|sendung|versendet
versandt|zugestellt|lieferung*|bestellung|bestellbestatigung|ihre bestellung|deine bestellung|tisch
tischreservierung*|restaurant|kurs|kurse|friseur*|impfung*|impftermin*|konzert*|kino*|lotterie|schulung*
fitness*|gebuhr*|abbuchung*|lastschrift*|umbuchung auf ihr|kontobuchung*|lohnbuchung*|buchhaltung*
stromrechnung*|werkstatt*|besichtigung*|adressanderung*|preisanderung*|vertragsbestatigung*|kundigung*
bewerbung*|zeugnis*|zugang*|elternabend|willkommen bei|*termin|terminbuchung*|terminbestatigung*
terminbestaetigung*|terminvereinbarung*|termine`,
  fr: `rendez vous|medecin|dentiste|webinaire|reunion|colis|livraison|livre|expedie*|votre commande|commande|restaurant
table|coiffeur|vaccination|concert|cinema|formation|location appartement|loyer|spectacle|bienvenue chez
bienvenue sur|votre cours`,
  es: `cita|cita previa|medico|dentista|seminario|reunion|paquete|envio|enviado|entregado|tu pedido|su pedido|pedido
restaurante|mesa|clase|peluqueria|vacuna*|concierto|cine|gimnasio|multa|domiciliacion|bienvenido a|bienvenida a
tu curso`,
  it: `appuntamento|visita medica|dentista|webinar|riunione|pacco|spedizione|spedito|consegna|consegnato|ordine
tuo ordine|ristorante|tavolo|lezione|parrucchiere|vaccino|concerto|cinema|corso|bolletta|palestra|benvenuto in
benvenuta in`,
  pt: `consulta|medico|dentista|webinar|reuniao|encomenda|entrega|enviado|entregue|pedido|seu pedido|restaurante|mesa
aula|cabeleireiro|vacina*|concerto|cinema|curso|academia|boleto bancario|boleto vence*|bem vindo|bem vinda`,
  nl: `afspraak|huisarts|tandarts|webinar|vergadering|pakket|pakje|bezorgd|bezorging|verzonden|bestelling|je bestelling
restaurant|tafel|kapper|vaccinatie|concert|bioscoop|cursus|sportschool|afschrijving|welkom bij|yogales`,
  pl: `wizyta|wizyty|lekarz*|dentyst*|webinar*|spotkanie|paczka|przesylka|przesylki|wyslane|dostarczono|dostawa
zamowienie|zamowienia|restauracja|stolik*|zajecia|fryzjer|szczepieni*|koncert*|kino|kurs|przelew*|mandat*
silownia|witamy w`,
  sv: `tid hos|lakartid|lakare|tandlakare|tandlakar*|webbinarium|mote|paket|leverans*|levererad|skickad|bestallning
din bestallning|orderbekraftelse*|restaurang|bord|kurs|frisor*|vaccin*|konsert*|bio|biobiljett*|konsertbiljett*
bordsbokning*|tvattid*|gym|bordbestilling*|inbetalning*|valkommen till`,
  tr: `randevu*|doktor|dis hekim*|webinar|toplanti*|kargo*|paket|teslim*|teslimat|siparis*|restoran|masa|ders|kuafor
konser*|sinema|kurs|egitim*|spor salonu|havale|destek talebi|hos geldin*|asi randevu*`,
  ja: `歯科|病院|診察|ウェビナー|会議|荷物|宅配|配送|配達|発送|ご注文|注文|レストラン|美容|ワクチン|コンサート|ライブ|映画|講座|予防接種|銀行振込|面接|来店予約`,
  zh: `预约挂号|門診|门诊|医院|醫院|牙科|网络研讨会|会议|會議|快递|快遞|包裹|发货|發貨|配送|订单已发货|餐厅|餐廳|订座|课程|課程|疫苗|演唱会|演唱會|电影|電影|转账|轉帳|面试|欢迎加入|歡迎加入`,
};
