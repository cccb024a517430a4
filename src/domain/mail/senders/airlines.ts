/**
 * Airlines as senders: `name|domains|home country|languages they write first`. Written by hand from general knowledge of
 * who mails from where; facts only, no list was copied. Loyalty programmes stand with their airline.
 */
export const AIRLINE_SENDERS = `
Aegean Airlines|aegeanair.com milesandbonus.com|GR|el en
Aer Lingus|aerlingus.com|IE|en
Aeroflot|aeroflot.ru|RU|ru en
Aerolíneas Argentinas|aerolineas.com.ar aerolineas.com|AR|es
Aeroméxico|aeromexico.com|MX|es en
Air Algérie|airalgerie.dz|DZ|fr ar
Air Arabia|airarabia.com|AE|en ar
Air Astana|airastana.com flyarystan.com|KZ|ru en
airBaltic|airbaltic.com|LV|en lv
Air Canada|aircanada.com aircanada.ca aeroplan.com|CA|en fr
Air China|airchina.com airchina.com.cn|CN|zh en
Air Corsica|aircorsica.com|FR|fr
Air Dolomiti|airdolomiti.it airdolomiti.eu|IT|it en
Air Europa|aireuropa.com air-europa.com|ES|es
Air France|airfrance.fr airfrance.com service-airfrance.com infos-airfrance.com flyingblue.com|FR|fr en
Air India|airindia.com airindia.in airindiaexpress.com|IN|en hi
Air Malta|airmalta.com kmmaltairlines.com|MT|en
Air Mauritius|airmauritius.com|MU|en fr
Air New Zealand|airnz.co.nz airnewzealand.com airnewzealand.co.nz|NZ|en
Air Niugini|airniugini.com.pg|PG|en
Air Nostrum|airnostrum.es|ES|es
Air Premia|airpremia.com|KR|ko
Air Serbia|airserbia.com|RS|sr en
Air Tahiti Nui|airtahitinui.com|PF|fr en
Air Transat|airtransat.com transat.com|CA|fr en
AirAsia|airasia.com|MY|en ms
AJet|ajet.com anadolujet.com|TR|tr en
Alaska Airlines|alaskaair.com|US|en
Allegiant Air|allegiantair.com allegiant.com|US|en
American Airlines|aa.com americanairlines.com|US|en es
ANA|ana.co.jp ana.com|JP|ja en
Asiana Airlines|flyasiana.com|KR|ko en
Austrian Airlines|austrian.com|AT|de en
Avianca|avianca.com lifemiles.com|CO|es en
Azerbaijan Airlines|azal.az|AZ|az en
Azores Airlines|sata.pt azoresairlines.pt|PT|pt en
Azul|voeazul.com.br|BR|pt
Bangkok Airways|bangkokair.com|TH|th en
Biman Bangladesh Airlines|biman-airlines.com|BD|bn en
Binter Canarias|bintercanarias.com|ES|es
Breeze Airways|flybreeze.com|US|en
British Airways|britishairways.com ba.com avios.com|GB|en
Brussels Airlines|brusselsairlines.com|BE|en nl fr
Bulgaria Air|air.bg|BG|bg en
Caribbean Airlines|caribbean-airlines.com|TT|en
Cathay Pacific|cathaypacific.com asiamiles.com cathay.com|HK|en zh
Cebu Pacific|cebupacificair.com|PH|en
China Airlines|china-airlines.com|TW|zh en
China Eastern Airlines|ceair.com|CN|zh
China Southern Airlines|csair.com|CN|zh
Citilink|citilink.co.id|ID|id
Condor|condor.com|DE|de en
Copa Airlines|copaair.com|PA|es en
Croatia Airlines|croatiaairlines.hr croatiaairlines.com|HR|hr en
Cyprus Airways|cyprusairways.com|CY|en el
Czech Airlines|csa.cz|CZ|cs en
Delta Air Lines|delta.com|US|en
Discover Airlines|discover-airlines.com|DE|de en
Eastern Airways|easternairways.com|GB|en
easyJet|easyjet.com easyjet.co.uk easyjetholidays.com|GB|en
Edelweiss Air|flyedelweiss.com|CH|de en
EgyptAir|egyptair.com|EG|ar en
EL AL|elal.com elal.co.il|IL|he en
Emirates|emirates.com emirates.email|AE|en ar
Ethiopian Airlines|ethiopianairlines.com|ET|en am
Etihad Airways|etihad.com etihad.ae|AE|en ar
Eurowings|eurowings.com|DE|de en
EVA Air|evaair.com|TW|zh en
Fiji Airways|fijiairways.com|FJ|en
Finnair|finnair.com finnair.fi|FI|fi en
Flair Airlines|flyflair.com|CA|en fr
FlyArystan|flyarystan.kz|KZ|ru kk
flydubai|flydubai.com|AE|en ar
flyadeal|flyadeal.com|SA|ar en
flynas|flynas.com|SA|ar en
FlySafair|flysafair.co.za safair.co.za|ZA|en
French bee|frenchbee.com|FR|fr
Frontier Airlines|flyfrontier.com|US|en
Garuda Indonesia|garuda-indonesia.com|ID|id en
Gol|voegol.com.br smiles.com.br|BR|pt
Gulf Air|gulfair.com|BH|ar en
Hainan Airlines|hnair.com hainanairlines.com|CN|zh en
Hawaiian Airlines|hawaiianairlines.com|US|en
Helvetic Airways|helvetic.com|CH|de en
HiSky|hisky.aero|MD|ro en
HK Express|hkexpress.com|HK|zh en
Iberia|iberia.com iberia.es iberiaexpress.com|ES|es en
Icelandair|icelandair.is icelandair.com|IS|is en
IndiGo|goindigo.in|IN|en hi
ITA Airways|ita-airways.com itaspa.com|IT|it en
Japan Airlines|jal.com jal.co.jp zipair.net|JP|ja en
Jazeera Airways|jazeeraairways.com|KW|ar en
Jeju Air|jejuair.net|KR|ko
Jet2|jet2.com jet2holidays.com|GB|en
JetBlue|jetblue.com|US|en
JetSMART|jetsmart.com|CL|es
Jetstar|jetstar.com|AU|en
Jin Air|jinair.com|KR|ko
Kenya Airways|kenya-airways.com|KE|en
KLM|klm.com klm.nl klm-info.com|NL|nl en
Korean Air|koreanair.com|KR|ko en
Kuwait Airways|kuwaitairways.com|KW|ar en
LATAM Airlines|latam.com lan.com tam.com.br latamairlines.com|CL|es pt
Lion Air|lionair.co.id batikair.com|ID|id
Loganair|loganair.co.uk|GB|en
LOT Polish Airlines|lot.com lot.pl|PL|pl en
Lufthansa|lufthansa.com lufthansa-group.com miles-and-more.com lufthansa-city.com|DE|de en
Luxair|luxair.lu luxairtours.lu|LU|fr de
Malaysia Airlines|malaysiaairlines.com mas.com.my|MY|en ms
Middle East Airlines|mea.com.lb|LB|ar en
Norse Atlantic Airways|flynorse.com|NO|en
Norwegian|norwegian.com norwegian.no norwegianreward.com|NO|no en
Nouvelair|nouvelair.com|TN|fr
Oman Air|omanair.com|OM|ar en
Pakistan International Airlines|piac.com.pk|PK|en ur
Peach|flypeach.com|JP|ja en
Pegasus|flypgs.com pegasusairlines.com|TR|tr en
Philippine Airlines|philippineairlines.com pal.com.ph|PH|en
PLAY|flyplay.com|IS|en
Porter Airlines|flyporter.com|CA|en fr
Qantas|qantas.com qantas.com.au qantasloyalty.com|AU|en
Qatar Airways|qatarairways.com qatarairways.com.qa|QA|en ar
Royal Air Maroc|royalairmaroc.com|MA|fr ar
Royal Brunei|flyroyalbrunei.com|BN|en
Royal Jordanian|rj.com|JO|ar en
RwandAir|rwandair.com|RW|en
Ryanair|ryanair.com ryanairmail.com|IE|en
S7 Airlines|s7.ru s7airlines.com|RU|ru
SAS|flysas.com sas.se sas.dk sas.no sas.fi|SE|sv da no
Saudia|saudia.com saudiairlines.com|SA|ar en
Scoot|flyscoot.com|SG|en
Sichuan Airlines|sichuanair.com|CN|zh
Singapore Airlines|singaporeair.com singaporeair.com.sg krisflyer.com|SG|en
SKY express|skyexpress.gr|GR|el en
Skymark Airlines|skymark.co.jp|JP|ja
Smartwings|smartwings.com|CZ|cs en
Solaseed Air|solaseedair.jp|JP|ja
South African Airways|flysaa.com|ZA|en
Southwest Airlines|southwest.com wnco.com southwestairlines.com|US|en
SpiceJet|spicejet.com|IN|en
Spirit Airlines|spirit.com spirit-airlines.com|US|en
Spring Airlines|ch.com springairlines.com|CN|zh
SriLankan Airlines|srilankan.com|LK|en
Sun Country Airlines|suncountry.com|US|en
SunExpress|sunexpress.com sunexpress.com.tr|TR|tr de
SWISS|swiss.com|CH|de en fr
TAAG|taag.com|AO|pt
TAP Air Portugal|tap.pt flytap.com|PT|pt en
TAROM|tarom.ro|RO|ro en
Thai Airways|thaiairways.com|TH|th en
Transavia|transavia.com|NL|nl fr
Tunisair|tunisair.com tunisair.com.tn|TN|fr ar
Turkish Airlines|thy.com turkishairlines.com|TR|tr en
Ukraine International Airlines|flyuia.com|UA|uk en
United Airlines|united.com|US|en
Ural Airlines|uralairlines.com u6.ru|RU|ru
Uzbekistan Airways|uzairways.com|UZ|uz ru
VietJet Air|vietjetair.com|VN|vi en
Vietnam Airlines|vietnamairlines.com|VN|vi en
Virgin Atlantic|virginatlantic.com virgin-atlantic.com|GB|en
Virgin Australia|virginaustralia.com velocityfrequentflyer.com|AU|en
VivaAerobus|vivaaerobus.com|MX|es
Volaris|volaris.com|MX|es
Volotea|volotea.com|ES|es it fr
Vueling|vueling.com|ES|es en
WestJet|westjet.com|CA|en fr
Widerøe|wideroe.no|NO|no en
Wizz Air|wizzair.com|HU|en hu
Xiamen Airlines|xiamenair.com|CN|zh
`;
