import type { SubjectLanguage } from './subject-words.ts';

/** Words that speak for travel. How they are written: subject-words.ts. */

/** Says it all: only travel mails have it. */
export const DOCUMENT_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `boarding pass*|e ticket*|eticket*|itinerary|itineraries|flight confirmation|flight details|flight change*
flight cancel*|flight delay*|flight update|flight status|schedule change|change to your flight|change of gate
gate change|check in is open|check in now|online check in|time to check in|ready to check in|check in for
checked in|hotel confirmation|hotel booking|hotel reservation|car rental confirmation|rental confirmation
rental agreement|car hire|train ticket*|rail ticket*|bus ticket*|coach ticket*|ferry ticket*|travel documents
travel document|trip confirmation|travel confirmation|rebooking|rebooked|flight reminder|flight receipt
ticket receipt|baggage receipt|upcoming flight|upcoming trip|upcoming stay|upcoming journey|pnr|record locator
flight booking|train booking|pre arrival|before you arrive|check in details|check in instructions
cruise confirmation|travel voucher|hotel voucher|flight disruption|airport transfer|trip summary|trip details
travel itinerary|seat assignment|pick up instructions|welcoming you|before your arrival|your arrival`,
  de: `bordkarte*|einsteigekarte*|flugbestatigung*|flugbestaetigung*|flugticket*|flugplananderung*|flugplanaenderung*
flugzeitenanderung*|flugzeitenaenderung*|flugzeitanderung*|fluganderung*|flugaenderung*|flugbuchung*
flugannullierung*|flugstornierung*|flugausfall*|flugverspatung*|flugverspaetung*|reiseplan*|reiseunterlagen
reisebestatigung*|reisebestaetigung*|reisebuchung*|reiseverlauf*|online check in|check in ist*|einchecken
hotelbuchung*|hotelreservierung*|zimmerreservierung*|zimmerbuchung*|mietwagen*|bahnticket*|bahnfahrkarte*
fahrkarte*|zugticket*|online ticket*|fahrplananderung*|fahrplanaenderung*|zugausfall*|zugverspatung*|zugbindung*
fahrtinformation*|umbuchung*|buchungscode*|anreiseinformation*|ihre anreise|deine anreise|reisedokument*
flugdetails|fluginformation*|reiseinformation*|fahrgastrechte|kreuzfahrt bestatigung|fahrbuchung*|fahrticket*
reservierungsbestatigung*|reservierungsbestaetigung*|busticket*|fahrbestatigung*|voucher hotel|mietvertrag auto
gatewechsel*|gate anderung*|sitzplatzreservierung*|wir freuen uns auf ihren besuch|ihr besuch bei uns|reisekette
flugdaten*|flugzeiten*|reisedaten*|zugdaten*|hotelbestatigung*|hotelbestaetigung*`,
  fr: `carte d embarquement|cartes d embarquement|billet electronique|billets electroniques|e billet*|billet d avion
billets d avion|billet de train|billets de train|memo voyage|itineraire|confirmation de vol|votre vol|vos vols
changement d horaire|modification de votre vol|vol annule|vol retarde|enregistrement en ligne|enregistrez vous
confirmation de voyage|votre voyage|votre trajet|votre sejour|votre train|reservation d hotel
location de voiture|votre location|e voucher|dossier de voyage|carnet de voyage|changement de porte
votre croisiere|votre traversee`,
  es: `tarjeta de embarque|tarjetas de embarque|billete electronico|boleto electronico|pasaje electronico|itinerario
confirmacion de vuelo|tu vuelo|su vuelo|cambio de vuelo|cambio de horario|vuelo cancelado|vuelo retrasado
check in online|facturacion online|tu viaje|su viaje|tu estancia|su estancia|reserva de hotel|alquiler de coche*
alquiler de auto*|renta de auto*|tus billetes|sus billetes|documentacion de viaje|cambio de puerta
codigo de reserva|localizador|billete de avion|billetes de avion|billete de tren|billetes de tren`,
  it: `carta d imbarco|carte d imbarco|biglietto elettronico|biglietti elettronici|biglietto aereo|biglietti aerei
biglietto ferroviario|biglietto del treno|itinerario|conferma volo|conferma del volo|il tuo volo|suo volo
vostro volo|variazione volo|modifica volo|cambio orario|variazione orario|volo cancellato|volo in ritardo
check in online|tuo viaggio|suo viaggio|vostro viaggio|tuo soggiorno|suo soggiorno|vostro soggiorno
prenotazione hotel|prenotazione alberghiera|noleggio auto|autonoleggio|documenti di viaggio|cambio gate
codice prenotazione`,
  pt: `cartao de embarque|cartoes de embarque|bilhete eletronico|bilhete electronico|e ticket*|itinerario
confirmacao de voo|seu voo|teu voo|o seu voo|alteracao de voo|alteracao do voo|mudanca de voo|voo cancelado
voo atrasado|check in online|faca o check in|faca seu check in|sua viagem|tua viagem|sua estadia|sua hospedagem
reserva de hotel|aluguel de carro*|aluguer de carro*|passagem aerea|passagens aereas|suas passagens|localizador
mudanca de portao`,
  nl: `instapkaart*|boardingpass*|vluchtbevestiging*|vluchtwijziging*|vluchtgegevens|reisdocument*|e ticket*
reisschema*|reisbescheiden|reisbevestiging*|je vlucht|uw vlucht|jouw vlucht|vlucht geannuleerd|vlucht vertraagd
inchecken|check in is geopend|hotelreservering*|hotelboeking*|huurauto*|autohuur|treinticket*|treinkaartje*
je reis|uw reis|je verblijf|uw verblijf|reserveringsbevestiging*|gatewijziging*|busticket*|overtocht
ticketbevestiging*`,
  pl: `karta pokladowa|karty pokladowe|karte pokladowa|bilet elektroniczny|bilet lotniczy|bilety lotnicze
bilet kolejowy|bilet na pociag|bilet autobusowy|twoj bilet|plan podrozy|potwierdzenie lotu|twoj lot|panstwa lot
zmiana lotu|zmiana rozkladu|lot odwolany|lot opozniony|odprawa online|odpraw sie|odprawa on line|twoja podroz
twojej podrozy|panstwa podroz|twoj pobyt|rezerwacja hotelu|wynajem samochodu|rezerwacji hotelu
wypozyczenie samochodu|rezerwacji lotu|odwolanie lotu|dokumenty podrozy|twoj przejazd`,
  sv: `boardingkort*|e biljett*|flygbiljett*|tagbiljett*|bussbiljett*|resplan*|resehandling*|resedokument*
flygbekraftelse*|flyginformation|din flygning|ditt flyg|din resa|er resa|tidtabellsandring*|andring av din resa
installt flyg|forsenat flyg|checka in|incheckning*|hotellbokning*|hyrbil*|bilhyra|din vistelse|din tagresa
resebekraftelse*|biljettbekraftelse*|reisebekreftelse*|flybillett*|togbillett*|din reise|din rejse|flybillet*
togbillet*|rejseplan*|reiserute*`,
  tr: `binis karti*|binis kartlari*|e bilet*|elektronik bilet*|ucak bilet*|otobus bilet*|tren bilet*|ucus onay*
ucusunuz*|ucus bilgi*|ucus degisiklig*|ucus iptal*|sefer iptal*|sefer degisiklig*|tarife degisiklig*|rotar
seyahat plan*|seyahat belge*|seyahatiniz*|yolculugunuz*|otel rezervasyon*|konaklamaniz*|konaklama rezervasyon*
arac kiralama*|online check in|check in islem*|bilet onay*|biletiniz*|ucus hatirlatma*|kapi degisiklig*|pnr`,
  ja: `搭乗券|航空券|eチケット|ご搭乗|搭乗手続|フライト|旅程|宿泊予約|ご宿泊|宿泊の予約|予約便|便の欠航|欠航|運航|新幹線|乗車券|特急券|きっぷ予約|レンタカー|ホテル予約|ご旅行|搭乗口|遅延のお知らせ|座席指定
チェックインのご案内|便変更|高速バス`,
  zh: `登机牌|登機證|登机|登機|电子客票|電子機票|机票|機票|航班|行程单|行程單|酒店预订|酒店訂單|酒店订单|飯店訂房|订房|訂房|入住|火车票|火車票|高铁|高鐵|车票|車票|租车|租車|值机|值機|出票|退改签
旅行行程|旅程`,
};

/** A booking of something; travel more often than not. */
export const BOOKING_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `booking|bookings|reservation|reservations|your trip|your flight|your flights|your stay|your journey|your train
your rental|your hotel|your cruise|your travel|your ferry|your crossing|your ride to|your itinerary
your ticket to|your tickets to|your holiday|your vacation|your room|tickets from`,
  de: `*buchung*|*reservierung*|reservation|ihre reise|deine reise|eure reise|ihr flug|dein flug|euer flug|ihre fluge
ihrem flug|deinem flug|ihren flug|deinen flug|ihr aufenthalt|dein aufenthalt|ihren aufenthalt|deinen aufenthalt
ihrem aufenthalt|deinem aufenthalt|ihre fahrt|deine fahrt|ihrer reise|deiner reise|ihr ticket nach|gebucht
ihr zug|dein zug|ihr urlaub|dein urlaub|ihr hotel|buchungsbest*|ihres zuges|deines zuges|ihres fluges
deines fluges|ihrer fahrt|deiner fahrt|ihres aufenthalts|deines aufenthalts`,
  fr: `reservation|reservations|votre billet|vos billets|votre hotel|reserve`,
  es: `reserva|reservas|reservacion|reservaciones|tu hotel|tu billete|su billete|tu boleto|su boleto|tu pasaje`,
  it: `prenotazione|prenotazioni|tuo biglietto|tuoi biglietti|suo biglietto|vostra prenotazione|tuo treno`,
  pt: `reserva|reservas|sua passagem|seu bilhete|o seu bilhete|seu hotel`,
  nl: `*boeking*|*reservering*|je ticket naar|je treinreis|uw hotel`,
  pl: `rezerwacja|rezerwacji|rezerwacje|rezerwacje*|twoja podroz|twoje bilety`,
  sv: `*bokning*|*reservation*|din biljett|dina biljetter|din bestilling|*bestilling*|*booking*|bokad|reservasjon*`,
  tr: `rezervasyon*|biletleriniz*`,
  ja: `予約|ご滞在`,
  zh: `预订|預訂|预定|預定|訂位`,
};

/** A thing of travel, in whatever connection. */
export const THING_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `flight|flights|airport|airline|airlines|hotel|hostel|train|trains|ferry|cruise|rental car|car rental|trip
journey|travel|check in|check out|departure|arrival|boarding|baggage|luggage|gate|seat|seats|coach|stay
accommodation|apartment|airbnb|shuttle|ticket|tickets|lounge|passenger|campsite|host|taxi|room|rooms`,
  de: `flug|fluge|flugnummer|flughafen*|reise|hotel*|zug|bahn|ticket|tickets|fahre|fahrt|abflug*|ankunft*|abfahrt*
anreise|abreise|gepack*|gepaeck*|unterkunft|ferienwohnung*|ferienhaus*|aufenthalt|pension|check in|sitzplatz*
ubernachtung*|uebernachtung*|urlaub|kreuzfahrt*|zuges|zuge|flug*|zimmer*|doppelzimmer*|einzelzimmer*`,
  fr: `vols|train|trajet|voyage|sejour|hotel|avion|aeroport|bagage*|embarquement|depart|arrivee|gare|billet|billets
chambre|location|croisiere|tgv|ter|hebergement`,
  es: `vuelo|vuelos|viaje|hotel|tren|estancia|aeropuerto|equipaje|embarque|billete|billetes|boleto|boletos|alojamiento
habitacion|autobus|pasaje|salida|llegada|crucero`,
  it: `volo|voli|viaggio|hotel|albergo|treno|soggiorno|aeroporto|bagaglio|imbarco|biglietto|biglietti|camera|traghetto
alloggio|partenza|arrivo|crociera`,
  pt: `voo|voos|viagem|hotel|comboio|estadia|hospedagem|aeroporto|bagagem|embarque|bilhete|bilhetes|passagem|passagens
alojamento|pousada|cruzeiro|onibus|quarto`,
  nl: `vlucht|vluchten|reis|hotel|trein|verblijf|luchthaven|bagage|vertrek|aankomst|kamer|accommodatie|vakantie
veerboot|ticket|tickets|busreis|hotelkamer*`,
  pl: `lotu|loty|lotow|podroz|podrozy|hotel|hotelu|pociag|pociagu|bilet|bilety|pobyt|pobytu|nocleg*|lotnisko|bagaz*
odlot|przylot|wylot|przejazd*|zakwaterowanie|pokoj*|pokoi`,
  sv: `flyg|resa|hotell*|tag|vistelse|flygplats|bagage|avgang|ankomst|biljett|biljetter|farja|boende|rejse|reise
opphold|ophold|billett|billetter|billet|flyet`,
  tr: `ucus*|ucak*|seyahat*|otel*|bilet*|konaklama*|yolculuk*|sefer*|havaliman*|bagaj*|tren*|otobus*|kalkis*|varis*|oda
odaniz*`,
  ja: `便|航空|空港|搭乗|宿泊|ホテル|旅館|旅行|チェックイン|出発|列車|乗車|きっぷ|手荷物|滞在|部屋|客室`,
  zh: `航空|机场|機場|酒店|飯店|旅行|出行|列车|列車|行程|乘机|出发|出發|行李|住宿|房间|房間|客房`,
};

/** What happened to it. */
export const PROCESS_WORDS: Readonly<Record<SubjectLanguage, string>> = {
  en: `confirmed|confirmation|confirm*|cancelled|canceled|cancellation|changed|change|changes|modified|update|updated
delayed|delay|rescheduled|reminder|receipt|invoice|voucher|details|upcoming|booked|ready|reference|tomorrow
is coming up|important information|prepare for|refund|instructions|disruption`,
  de: `*bestatigung*|*bestaetigung*|bestatigt|bestaetigt|*stornierung*|storniert|storno|*anderung*|*aenderung*|geandert
geaendert|*verspatung*|*verspaetung*|verspatet|erinnerung*|*rechnung*|beleg|details|wichtige information*
annulliert|fallt aus|ausfall|in kurze|morgen|erstattung*|unterlagen|steht bevor|steht bald an`,
  fr: `confirmation|confirme*|annulation|annule*|modification|modifie*|changement|retard|retarde*|rappel|facture|recu
informations importantes|demain|perturbation*|supprime|remboursement`,
  es: `confirmacion|confirmada|confirmado|cancelacion|cancelada|cancelado|cambio|cambios|modificacion|modificada
retraso|recordatorio|factura|recibo|informacion importante|manana|detalles|reembolso`,
  it: `conferma|confermata|confermato|cancellazione|cancellata|annullata|annullato|modifica|variazione|ritardo
promemoria|ricevuta|fattura|informazioni importanti|domani|dettagli|riepilogo|rimborso`,
  pt: `confirmacao|confirmada|confirmado|cancelamento|cancelada|cancelado|alteracao|alterado|alterada|mudanca|atraso
lembrete|recibo|fatura|informacoes importantes|amanha|detalhes|reembolso`,
  nl: `*bevestiging*|bevestigd|*annulering*|geannuleerd|*wijziging*|gewijzigd|*vertraging*|vertraagd|herinnering*
factuur|belangrijke informatie|morgen|gegevens|terugbetaling`,
  pl: `potwierdzenie|potwierdzona|potwierdzony|anulowan*|anulowanie|odwolan*|zmiana|zmiany|zmianie|opoznienie|opozniony
przypomnienie|faktura|paragon|wazne informacje|jutro|szczegoly|zwrot`,
  sv: `*bekraftelse*|bekraftad|avbokning*|avbokad|installd|installt|*andring*|andrad|*forsening*|forsenad|forsenat
paminnelse*|kvitto|faktura|viktig information|imorgon|bekreftelse*|bekraeftelse*|kansellert|aflyst|aterbetalning`,
  tr: `onay*|onaylandi|iptal*|degisikli*|degisti|gecikme*|hatirlatma*|fatura*|makbuz*|onemli bilgi*|yarin|detay*
guncelleme*|iade*|bilgilendirme*`,
  ja: `確認|確定|完了|キャンセル|取消|変更|遅延|お知らせ|領収書|控え|リマインド|ご案内|明日|受付`,
  zh: `确认|確認|成功|取消|变更|變更|改签|延误|延誤|提醒|发票|收据|通知|已确认|已出票|调整|調整`,
};
