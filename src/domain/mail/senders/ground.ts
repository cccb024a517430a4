/**
 * Railways, coaches, ferries, cruises, rental cars and rides as senders: `name|domains|home country|languages`. Written by hand
 * from general knowledge; facts only, no list was copied.
 */
export const RAIL_SENDERS = `
Amtrak|amtrak.com|US|en
Avanti West Coast|avantiwestcoast.co.uk|GB|en
Avlo|avlorenfe.com|ES|es
Belgian Railways|sncb.be nmbs.be belgiantrain.be b-europe.com|BE|fr nl
Brightline|gobrightline.com|US|en
c2c|c2c-online.co.uk|GB|en
CFF|cff.ch|CH|fr
CFL|cfl.lu|LU|fr
CFR Călători|cfrcalatori.ro|RO|ro
China Railway|12306.cn rails.com.cn|CN|zh
Comboios de Portugal|cp.pt|PT|pt
CrossCountry|crosscountrytrains.co.uk|GB|en
České dráhy|cd.cz|CZ|cs
Deutsche Bahn|bahn.de deutschebahn.com dbahn.de bahncard.de bahnbonus.de|DE|de en
DSB|dsb.dk|DK|da
East Midlands Railway|eastmidlandsrailway.co.uk eastmidlandstrains.co.uk|GB|en
Eurostar|eurostar.com thalys.com|GB|en fr
FlixTrain|flixtrain.de flixtrain.com|DE|de
Great Western Railway|gwr.com|GB|en
Greater Anglia|greateranglia.co.uk|GB|en
Grand Central|grandcentralrail.com|GB|en
Hrvatske željeznice|hzpp.hr|HR|hr
Hull Trains|hulltrains.co.uk|GB|en
Iarnród Éireann|irishrail.ie|IE|en
Indian Railways|irctc.co.in irctc.com|IN|en hi
Interrail|interrail.eu eurail.com|NL|en
Iryo|iryo.eu|ES|es
Italo|italotreno.it ntvspa.it italotreno.com|IT|it
JR Central|jr-central.co.jp expy.jp|JP|ja
JR East|jreast.co.jp eki-net.com|JP|ja
JR West|westjr.co.jp jr-odekake.net|JP|ja
KAI|kai.id|ID|id
Koleje Mazowieckie|mazowieckie.com.pl|PL|pl
Korail|korail.com letskorail.com|KR|ko
KTM|ktmb.com.my|MY|ms
Leo Express|leoexpress.com le.cz|CZ|cs
LNER|lner.co.uk|GB|en
London Northwestern Railway|lnr.uk|GB|en
Lumo|lumo.co.uk|GB|en
LTG Link|ltglink.lt|LT|lt
MÁV|mav-start.hu mav.hu|HU|hu
MTRX|mtrx.travel mtrexpress.se|SE|sv
Northern|northernrailway.co.uk|GB|en
NS|ns.nl nsinternational.com nsinternational.nl|NL|nl
ÖBB|oebb.at nightjet.com|AT|de
Ouigo|ouigo.com|FR|fr es
Bilkom|bilkom.pl|PL|pl
PKP Intercity|intercity.pl|PL|pl
Polregio|polregio.pl|PL|pl
Rail Europe|raileurope.com|FR|en fr
Rail Online|railonline.eu|NL|en
RegioJet|regiojet.cz regiojet.com studentagency.cz|CZ|cs
Renfe|renfe.com renfe.es|ES|es
RŽD|rzd.ru|RU|ru
SBB|sbb.ch|CH|de fr it
ScotRail|scotrail.co.uk|GB|en
SJ|sj.se|SE|sv
SNCF|sncf.com sncf-connect.com oui.sncf voyages-sncf.com sncf.fr tgv-lyria.com lyria.com inoui.com|FR|fr
Snälltåget|snalltaget.se|SE|sv
South Western Railway|southwesternrailway.com|GB|en
Southeastern|southeasternrailway.co.uk|GB|en
Southern|southernrailway.com|GB|en
Taiwan High Speed Rail|thsrc.com.tw|TW|zh
TCDD|tcddtasimacilik.gov.tr tcdd.gov.tr|TR|tr
Thameslink|thameslinkrailway.com|GB|en
The Trainline|thetrainline.com trainline.com trainline.eu trainline.fr captaintrain.com|GB|en fr
Trainpal|mytrainpal.com trainpal.com|GB|en
TransPennine Express|tpexpress.co.uk|GB|en
Transport for Wales|tfw.wales tfwrail.wales|GB|en
Trenitalia|trenitalia.it trenitalia.com trenord.it|IT|it
VIA Rail|viarail.ca|CA|en fr
Virgin Trains Ticketing|virgintrainsticketing.com|GB|en
Vy|vy.no|NO|no
VR|vr.fi vrgroup.fi|FI|fi
Westbahn|westbahn.at|AT|de
Omio|omio.com omio.de goeuro.com|DE|en de
`;

export const BUS_SENDERS = `
ALSA|alsa.es alsa.com|ES|es
BlaBlaCar|blablacar.com blablacar.fr blablacar.de blablabus.com|FR|fr de
Busbud|busbud.com|CA|en
CheckMyBus|checkmybus.com|DE|en de
Eurolines|eurolines.eu eurolines.de|FR|en
FlixBus|flixbus.com flixbus.de flixbus.fr flixbus.it flixbus.es flixbus.pl flixbus.co.uk flix.com|DE|de en
FlixBus Türkiye|kamilkoc.com.tr flixbus.com.tr|TR|tr
Greyhound|greyhound.com|US|en
IC Bus|icbus.de|DE|de
Megabus|megabus.com|GB|en
Metro Turizm|metroturizm.com.tr|TR|tr
National Express|nationalexpress.com|GB|en
Nor-Way|nor-way.no|NO|no
obilet|obilet.com|TR|tr
redBus|redbus.in redbus.com|IN|en
Rome2Rio|rome2rio.com|AU|en
Vy bus4you|bus4you.se vybuss.no|SE|sv
Wanderu|wanderu.com|US|en
Willer Express|willer.co.jp willer-travel.com|JP|ja
ClickBus|clickbus.com.br clickbus.com|BR|pt
ADO|ado.com.mx|MX|es
Peter Pan|peterpanbus.com|US|en
Sindbad|sindbad.pl|PL|pl
`;

export const FERRY_SENDERS = `
Attica Group|superfast.com bluestarferries.com anek.gr|GR|el en
Balearia|balearia.com|ES|es
Brittany Ferries|brittany-ferries.com brittany-ferries.co.uk brittany-ferries.fr brittanyferries.com|FR|fr en
CalMac|calmac.co.uk|GB|en
Color Line|colorline.no colorline.de colorline.com|NO|no de
Condor Ferries|condorferries.com condorferries.co.uk|GB|en
Corsica Ferries|corsica-ferries.fr corsicaferries.com|FR|fr it
DFDS|dfds.com dfdsseaways.com|DK|da en
Direct Ferries|directferries.com directferries.co.uk directferries.de|GB|en
Eckerö Line|eckeroline.fi|FI|fi
Ferryhopper|ferryhopper.com|GR|en el
Finnlines|finnlines.com|FI|fi
FRS|frs.es frs.world|DE|de es
Grimaldi Lines|grimaldi-lines.com|IT|it
GNV|gnv.it|IT|it
Hurtigruten|hurtigruten.com hurtigruten.no hurtigruten.de havila.no havilavoyages.com|NO|no en de
Irish Ferries|irishferries.com|IE|en
Le Shuttle|eurotunnel.com leshuttle.com|GB|en fr
Moby|moby.it mobylines.com tirrenia.it|IT|it
P&O Ferries|poferries.com|GB|en
Red Funnel|redfunnel.co.uk|GB|en
Scandlines|scandlines.de scandlines.dk scandlines.com|DE|de da
SeaLink|sealink.com.au|AU|en
Stena Line|stenaline.com stenaline.se stenaline.de stenaline.co.uk|SE|sv en
Tallink Silja|tallink.com tallinksilja.com silja.fi tallink.ee|EE|et fi
TT-Line|ttline.com|DE|de sv
Viking Line|vikingline.com vikingline.fi vikingline.se|FI|fi sv
Wightlink|wightlink.co.uk|GB|en
AIDA|aida.de|DE|de
Carnival|carnival.com carnivalcruiselines.com|US|en
Celebrity Cruises|celebritycruises.com|US|en
Costa|costa.it costakreuzfahrten.de costacruises.com costacroisieres.fr|IT|it
Cunard|cunard.com cunard.co.uk|GB|en
Holland America Line|hollandamerica.com|US|en
MSC Cruises|msccruises.com msccrociere.it msc-kreuzfahrten.de|CH|it en
Norwegian Cruise Line|ncl.com|US|en
P&O Cruises|pocruises.com|GB|en
Princess Cruises|princess.com|US|en
Royal Caribbean|royalcaribbean.com rccl.com|US|en
TUI Cruises|tuicruises.com meinschiff.com|DE|de
`;

export const CAR_SENDERS = `
ACE Rent A Car|acerentacar.com|US|en
Alamo|alamo.com goalamo.com|US|en
Avis|avis.com avis.de avis.fr avis.it avis.es avis.co.uk avis.nl avis-europe.com avisbudget.com|US|en
billiger-mietwagen|billiger-mietwagen.de floyt.com|DE|de
Booking Cars|rentalcars.com|GB|en
Budget|budget.com budget.de budget.co.uk budget.fr budgetgroup.com|US|en
Buchbinder|buchbinder.de|DE|de
CarTrawler|cartrawler.com|IE|en
Centauro|centauro.net|ES|es
Check24 Mietwagen|mietwagen.check24.de|DE|de
Discover Cars|discovercars.com|LV|en
Dollar|dollar.com|US|en
DoYouSpain|doyouspain.com|ES|es
Enterprise|enterprise.com enterprise.co.uk enterprise.de enterprise.fr ehi.com erac.com|US|en
Europcar|europcar.com europcar.fr europcar.de europcar.it europcar.es europcar.co.uk europcar.pt europcar.com.tr|FR|fr en
Firefly|fireflycarrental.com|US|en
Fox Rent A Car|foxrentacar.com|US|en
Getaround|getaround.com drivy.com|FR|en fr
Goldcar|goldcar.es goldcar.com|ES|es
Green Motion|greenmotion.com|GB|en
Hertz|hertz.com hertz.de hertz.fr hertz.it hertz.es hertz.co.uk hertz.nl hertz-europe.com|US|en
Holiday Autos|holidayautos.com holidayautos.de holidayautos.co.uk|GB|en
Keddy|keddy.com|FR|en
Localiza|localiza.com|BR|pt
Locauto|locautorent.com|IT|it
Movida|movida.com.br|BR|pt
National|nationalcar.com nationalcar.co.uk|US|en
Nippon Rent-A-Car|nipponrentacar.co.jp|JP|ja
Nissan Rent a Car|nissan-rentacar.com|JP|ja
OK Mobility|okmobility.com okrentacar.es|ES|es
Payless|paylesscar.com|US|en
Record Go|recordrentacar.com recordgo.com|ES|es
Sicily by Car|sicilybycar.it|IT|it
Silvercar|silvercar.com|US|en
SIXT|sixt.com sixt.de sixt.fr sixt.it sixt.es sixt.co.uk sixt.nl sixt.at sixt.ch|DE|de en
Starcar|starcar.de|DE|de
Sunnycars|sunnycars.de sunnycars.nl sunnycars.com|DE|de nl
Thrifty|thrifty.com|US|en
Times Car|timescar.jp timescar-rental.com|JP|ja
Toyota Rent a Car|toyotarent.jp rent.toyota.co.jp|JP|ja
Turo|turo.com|US|en
Unidas|unidas.com.br|BR|pt
Blacklane|blacklane.com|DE|en
GroundLink|groundlink.com|US|en
Holiday Taxis|holidaytaxis.com|GB|en
Hoppa|hoppa.com|GB|en
Jayride|jayride.com|AU|en
Mozio|mozio.com|US|en
SuperShuttle|supershuttle.com|US|en
Suntransfers|suntransfers.com|ES|en
Welcome Pickups|welcomepickups.com|GR|en
`;
