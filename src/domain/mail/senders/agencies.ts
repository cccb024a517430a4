/**
 * Who sells or carries other companies' travel, as senders: online agencies, tour operators, corporate travel, reservation
 * systems that mail in an agency's name, and trip organisers. `name|domains|home country|languages`. Written by hand from
 * general knowledge; facts only, no list was copied.
 */
export const AGENCY_SENDERS = `
Agoda|agoda.com agoda-emails.com|SG|en
Almosafer|almosafer.com|SA|ar en
Alltours|alltours.de|DE|de
ab-in-den-urlaub|ab-in-den-urlaub.de|DE|de
Atrápalo|atrapalo.com|ES|es
Barceló Viajes|bthetravelbrand.com|ES|es
Bidroom|bidroom.com|NL|en
Biletbank|biletbank.com|TR|tr
Booking.com|booking.com|NL|en
BudgetAir|budgetair.com budgetair.nl vliegtickets.nl travix.com cheaptickets.nl cheaptickets.de flugladen.de|NL|nl de
Bravofly|bravofly.com bravofly.it|CH|it
CheapOair|cheapoair.com onetravel.com fareportal.com|US|en
Cheaptickets|cheaptickets.com|US|en
Check24|check24.de|DE|de
Cleartrip|cleartrip.com|IN|en
Corendon|corendon.nl corendon.com|NL|nl
Costco Travel|costcotravel.com|US|en
CVC|cvc.com.br|BR|pt
Decolar|decolar.com despegar.com|AR|es pt
DER Touristik|dertouristik.de dertour.de its.de jahnreisen.de meiers-weltreisen.de|DE|de
D-reizen|d-reizen.nl|NL|nl
eDreams|edreams.com edreams.es edreams.it edreams.fr edreams.de edreams.pt edreamsodigeo.com|ES|es
Enuygun|enuygun.com|TR|tr
Esky|esky.pl esky.com esky.eu esky.ro|PL|pl
Etraveli|etraveli.com mytrip.com gotogate.com gotogate.de gotogate.se gotogate.co.uk flightnetwork.com supersavertravel.se trip.ru|SE|en sv
Etstur|etstur.com|TR|tr
Evaneos|evaneos.com|FR|fr
Expedia|expedia.com expedia.de expedia.fr expedia.co.uk expedia.it expedia.ca expedia.co.jp expediamail.com expediagroup.com expedia.nl|US|en
Flight Centre|flightcentre.com.au flightcentre.co.uk flightcentre.com|AU|en
Fliggy|fliggy.com alitrip.com|CN|zh
Fluege.de|fluege.de|DE|de
G Adventures|gadventures.com|CA|en
Goibibo|goibibo.com go-mmt.com|IN|en
Hays Travel|hays-travel.co.uk|GB|en
H.I.S.|his-j.com his-world.com|JP|ja
Holidaycheck|holidaycheck.de holidaycheck.com|CH|de
Hotelbeds|hotelbeds.com bedsonline.com|ES|en
Hotels.com|hotels.com hoteles.com|US|en
HotelTonight|hoteltonight.com|US|en
Hotelplan|hotelplan.ch migros-ferien.ch|CH|de
Hotwire|hotwire.com|US|en
HRS|hrs.com hrs.de hotel.de|DE|de
Ikyu|ikyu.com|JP|ja
Intrepid|intrepidtravel.com|AU|en
Itaka|itaka.pl|PL|pl
Jalan|jalan.net|JP|ja
Urlaubspiraten|urlaubspiraten.de holidaypirates.com|DE|de
JTB|jtb.co.jp rurubu.travel|JP|ja
KAYAK|kayak.com kayak.de swoodoo.com momondo.com|US|en
Kilroy|kilroy.net kilroy.dk|DK|da
Kiwi.com|kiwi.com skypicker.com|CZ|en cs
Klook|klook.com|HK|en zh
KKday|kkday.com|TW|zh
Kuoni|kuoni.ch kuoni.co.uk kuoni.fr|CH|de
Last Minute|lastminute.com lastminute.de lastminute.ie volagratis.com rumbo.es weg.de lastminute.com.au|NL|en it
Loveholidays|loveholidays.com|GB|en
Luxury Escapes|luxuryescapes.com|AU|en
MakeMyTrip|makemytrip.com|IN|en
Misterfly|misterfly.com|FR|fr
Logitravel|logitravel.com|ES|es
Neckermann|neckermann-reisen.de thomascook.com|DE|de
Nazar|nazar.se nazar.nu|SE|sv
Onthebeach|onthebeach.co.uk|GB|en
Opodo|opodo.de opodo.com opodo.fr opodo.co.uk opodo.it|GB|en de fr
Orbitz|orbitz.com|US|en
Priceline|priceline.com|US|en
Qunar|qunar.com|CN|zh
Rakuten Travel|travel.rakuten.co.jp travel.rakuten.com|JP|ja
Rainbow|r.pl|PL|pl
Schauinsland|schauinsland-reisen.de|DE|de
Secret Escapes|secretescapes.com|GB|en
Skyscanner|skyscanner.net skyscanner.com|GB|en
Tutu|tutu.ru|RU|ru
Aviasales|aviasales.ru aviasales.com|RU|ru en
OneTwoTrip|onetwotrip.com|RU|ru
Ostrovok|ostrovok.ru|RU|ru
Sembo|sembo.se sembo.no stenalinetravel.com|SE|sv
Spies|spies.dk|DK|da
STA Travel|statravel.com statravel.de|CH|en
Snowtrex|snowtrex.de snowtrex.com|DE|de
Sunweb|sunweb.nl sunweb.be sunweb.com sundio.com|NL|nl
Super.com|super.com|CA|en
Tatilsepeti|tatilsepeti.com jollytur.com tatilbudur.com|TR|tr
Ticket|ticket.se ticket.no|SE|sv
Viajes El Corte Inglés|viajeselcorteingles.es|ES|es
Traveloka|traveloka.com|ID|id en
Travelocity|travelocity.com|US|en
Travelup|travelup.com|GB|en
Travelrepublic|travelrepublic.co.uk dnata.com dnatatravel.com|GB|en
Tripadvisor|tripadvisor.com|US|en
Trip.com|trip.com ctrip.com|CN|zh en
Trivago|trivago.com|DE|de
tropo|tropo.de|DE|de
TUI|tui.com tui.co.uk tui.de tui.nl tui.be tui.se tui.pl tui.fr tui.ch tuifly.com tuifly.be|DE|de en
Vakantiediscounter|vakantiediscounter.nl prijsvrij.nl|NL|nl
Vayama|vayama.com|US|en
Via|via.com|IN|en
Viajes Carrefour|viajes.carrefour.es|ES|es
Viator|viator.com|US|en
GetYourGuide|getyourguide.com|DE|en de
Ving|ving.se ving.no tjareborg.fi|SE|sv
Voyage Privé|voyage-prive.com|FR|fr
Voyageurs du Monde|vdm.com|FR|fr
Wakacje.pl|wakacje.pl|PL|pl
Webjet|webjet.com.au|AU|en
Wego|wego.com|SG|en ar
Wotif|wotif.com|AU|en
Yatra|yatra.com yatra.in|IN|en
12Go|12go.asia 12go.co|TH|en
Apollo|apollo.se apollorejser.dk|SE|sv
Coral Travel|coraltravel.pl coraltravel.de|TR|pl
FTI|fti.de fti.at|DE|de
Invia|invia.cz invia.com fly-away.de|CZ|cs
Čedok|cedok.cz fischer.cz exim.cz|CZ|cs
5vorFlug|5vorflug.de|DE|de
l’tur|ltur.com ltur.de|DE|de
`;

export const CORPORATE_SENDERS = `
ADTRAV|adtrav.com|US|en
American Express Global Business Travel|amexglobalbusinesstravel.com amexgbt.com egencia.com egencia.eu|US|en
ATPI|atpi.com|GB|en
BCD Travel|bcdtravel.com bcdtravel.de bcdtravel.co.uk|NL|en
B travel|btravel.com|ES|es
Capita Travel|clarity-travel.com agiito.com|GB|en
Carlson Wagonlit|carlsonwagonlit.com mycwt.com cwt.com contactcwt.com|US|en
Click Travel|clicktravel.com travelperk.com perk.com|ES|en
Corporate Traveller|corptraveller.com corporatetraveler.us|AU|en
CTM|travelctm.com travelctm.com.au|AU|en
Direct Travel|dt.com directtravel.com|US|en
FCM|fcmtravel.com fcmtravel.se fcmtravel.de fcm.travel|AU|en
Frosch|frosch.com|US|en
Hickory|hickorytravelsystems.com|US|en
Lufthansa City Center|lcc.de lufthansa-city-center.com|DE|de
Navan|navan.com tripactions.com|US|en
SAP Concur|concursolutions.com concur.com|US|en
Spotnana|spotnana.com|US|en
Tumodo|tumodo.io|AE|en
VCK Travel|vcktravel.nl|NL|nl
World Travel Inc|worldtravelinc.com|US|en
Engine|engine.com hotelengine.com|US|en
Onriva|onriva.com|US|en
Cytric|cytric.net ifao.net|DE|de en
Onesto|onesto.de|DE|de
Itilite|itilite.com|IN|en
`;

export const SYSTEM_SENDERS = `
Amadeus|amadeus.com amadeus.net checkmytrip.com|ES|en
Sabre|sabre.com virtuallythere.com tripcase.com getthere.com getthere.net|US|en
Travelport|travelport.com viewtrip.com worldspan.com galileo.com|GB|en
Duffel|duffel.com|GB|en
Hahn Air|hahnair.com|DE|en
IBS|ibsplc.com|IN|en
Mystifly|mystifly.com|SG|en
Navitaire|navitaire.com|US|en
Pana|pana.com|US|en
Radixx|radixx.com|US|en
SITA|sita.aero|CH|en
TravelSky|travelsky.com.cn travelsky.com|CN|zh
Troovo|conferma.com|GB|en
TripIt|tripit.com|US|en
Travefy|travefy.com|US|en
Axus|axustravelapp.com|US|en
Umapped|umapped.com|CA|en
Vamoos|vamoos.com|GB|en
App in the Air|appintheair.mobi|US|en
Flighty|flighty.com|US|en
FlightAware|flightaware.com|US|en
SiteMinder|siteminder.com littlehotelier.com|AU|en
Cloudbeds|cloudbeds.com|US|en
Mews|mews.com mews.li|CZ|en
Guesty|guesty.com|US|en
Hostaway|hostaway.com|FI|en
SynXis|synxis.com|US|en
TravelClick|travelclick.com|US|en
Smoobu|smoobu.com|DE|de en
Lodgify|lodgify.com|ES|en
Beds24|beds24.com|DE|en de
D-EDGE|d-edge.com availpro.com|FR|fr
DIRS21|dirs21.de|DE|de
eviivo|eviivo.com|GB|en
RoomRaccoon|roomraccoon.com|NL|en
Avvio|avvio.com|IE|en
Guestline|guestline.com guestline.net|GB|en
FareHarbor|fareharbor.com|US|en
Bokun|bokun.io|IS|en
`;
