/**
 * Hotel chains and places to stay as senders: `name|domains|home country|languages`. Written by hand from general
 * knowledge; facts only, no list was copied.
 */
export const STAY_SENDERS = `
25hours Hotels|25hours-hotels.com|DE|de en
A&O Hostels|aohostels.com|DE|de en
Accor|accor.com accor-mail.com accorhotels.com accorplus.com fairmont.com raffles.com sofitel.com swissotel.com movenpick.com|FR|fr en
Adina|adinahotels.com tfehotels.com|AU|en
Airbnb|airbnb.com airbnb.de airbnb.fr airbnb.co.uk airbnbmail.com|US|en
Aman|aman.com|SG|en
APA Hotel|apahotel.com|JP|ja
Atlantis|atlantis.com atlantisthepalm.com|AE|en
Away Resorts|awayresorts.co.uk|GB|en
Aparthotels Adagio|adagio-city.com adagio.com|FR|fr
B&B Hotels|hotelbb.com hotel-bb.com|FR|fr de
Banyan Tree|banyantree.com|SG|en
Barceló|barcelo.com|ES|es
Belambra|belambra.fr|FR|fr
Belmond|belmond.com|GB|en
Best Western|bestwestern.com bestwestern.de bestwestern.fr bestwestern.co.uk bwhhotelgroup.com|US|en
Butlins|butlins.com|GB|en
Campanile|campanile.com louvrehotels.com|FR|fr
Center Parcs|centerparcs.com centerparcs.de centerparcs.fr centerparcs.co.uk centerparcs.nl groupepvcp.com pierreetvacances.com|FR|fr nl
Choice Hotels|choicehotels.com comfortinn.com|US|en
citizenM|citizenm.com|NL|en
Club Med|clubmed.com clubmed.fr|FR|fr
COMO|comohotels.com|SG|en
Corinthia|corinthia.com|MT|en
Dalata|dalatahotelgroup.com claytonhotels.com maldronhotels.com|IE|en
Deutsche Jugendherberge|jugendherberge.de|DE|de
Disney Resorts|disneylandparis.com disneydestinations.com disneyworld.com|US|en
Dorint|dorint.com|DE|de
Drury Hotels|druryhotels.com|US|en
Elite Hotels|elite.se|SE|sv
Eurostars|eurostarshotels.com|ES|es
Extended Stay America|extendedstayamerica.com esa.com|US|en
Falkensteiner|falkensteiner.com|AT|de
Four Seasons|fourseasons.com|CA|en
Generator|generatorhostels.com staygenerator.com|GB|en
Gîtes de France|gites-de-france.com|FR|fr
Great Wolf Lodge|greatwolf.com|US|en
H World|huazhu.com hworld.com|CN|zh
H-Hotels|h-hotels.com hyperion-hotels.com|DE|de
Hard Rock Hotels|hardrockhotels.com|US|en
Haven|haven.com|GB|en
Hilton|hilton.com hiltonhonors.com|US|en
Hipcamp|hipcamp.com|US|en
Homair|homair.com eurocamp.co.uk|FR|fr
Hostelworld|hostelworld.com|IE|en
Hoshino Resorts|hoshinoresort.com|JP|ja
Hyatt|hyatt.com|US|en
ibis|ibis.com|FR|fr
IHG|ihg.com holidayinn.com intercontinental.com kimptonhotels.com sixsenses.com|GB|en
Innside|innside.com|ES|es
Interhome|interhome.com interhome.de interhome.ch|CH|de fr
Iberostar|iberostar.com|ES|es
Jin Jiang|jinjianghotels.com|CN|zh
Kempinski|kempinski.com|CH|en de
KOA|koa.com|US|en
Landal|landal.nl landal.de landal.com|NL|nl
Langham|langhamhotels.com|HK|en
Leonardo Hotels|leonardo-hotels.com|DE|de en
Loews Hotels|loewshotels.com|US|en
Logis Hotels|logishotels.com|FR|fr
Lotte Hotels|lottehotel.com|KR|ko
Mandarin Oriental|mohg.com mandarinoriental.com|HK|en
Maritim|maritim.de maritim.com|DE|de
Marriott|marriott.com marriott.co.uk marriott.de email-marriott.com ritzcarlton.com sheraton.com|US|en
Meininger|meininger-hotels.com|DE|de en
Meliá|melia.com|ES|es
MGM Resorts|mgmresorts.com|US|en
Millennium Hotels|millenniumhotels.com|SG|en
Minor Hotels|minorhotels.com anantara.com|TH|en
Moxy|moxyhotels.com|US|en
Motel 6|motel6.com|US|en
Motel One|motel-one.com|DE|de en
NH Hotels|nh-hotels.com nhhotels.com nh-hotels.de|ES|es en
Novum|novum-hospitality.com|DE|de
Okura Nikko|okura-nikko.com|JP|ja
Omni Hotels|omnihotels.com|US|en
OYO|oyorooms.com|IN|en
Park Hyatt|parkhyatt.com|US|en
Park Plaza|parkplaza.com|NL|en
Parador|parador.es|ES|es
Peninsula|peninsula.com|HK|en
Pestana|pestana.com|PT|pt
Plaza Hotelgroup|plazahotels.de|DE|de
Premier Inn|premierinn.com premierinn.de whitbread.com|GB|en
Prince Hotels|princehotels.co.jp princehotels.com|JP|ja
Prizeotel|prizeotel.com|DE|de
Radisson|radissonhotels.com radissonblu.com radisson.com|BE|en
Red Roof|redroof.com|US|en
Relais & Châteaux|relaischateaux.com|FR|fr en
Riu|riu.com|ES|es
Rixos|rixos.com|TR|tr en
Roompot|roompot.nl roompot.de|NL|nl
Rosewood|rosewoodhotels.com|HK|en
Rotana|rotana.com|AE|en
Route Inn|route-inn.co.jp|JP|ja
Ruby Hotels|ruby-hotels.com|DE|de en
Scandic|scandichotels.com scandichotels.se scandic-hotels.com|SE|sv
Selina|selina.com|GB|en
Shangri-La|shangri-la.com|HK|en
Sonder|sonder.com|US|en
Sonesta|sonesta.com|US|en
Starwood|starwoodhotels.com|US|en
Steigenberger|steigenberger.com deutschehospitality.com hrewards.com|DE|de
Strawberry|strawberry.no strawberry.se nordicchoicehotels.no nordicchoicehotels.com|NO|no sv
Taj|tajhotels.com ihcltata.com|IN|en
The Hoxton|thehoxton.com ennismore.com|GB|en
Thon Hotels|thonhotels.no thonhotels.com|NO|no
Tokyu Hotels|tokyuhotels.co.jp|JP|ja
Toyoko Inn|toyoko-inn.com|JP|ja
Travelodge|travelodge.co.uk|GB|en
Van der Valk|valk.com valk.nl vandervalk.nl|NL|nl
Vienna House|viennahouse.com|AT|de
Vila Galé|vilagale.com|PT|pt
Vrbo|vrbo.com homeaway.com fewo-direkt.de abritel.fr|US|en
Wyndham|wyndhamhotels.com wyndham.com wyn.com daysinn.com ramada.com|US|en
YHA|yha.org.uk|GB|en
YOTEL|yotel.com|GB|en
Zleep|zleep.com|DK|da
Belvilla|belvilla.com belvilla.nl|NL|nl
Casamundo|casamundo.de hometogo.com hometogo.de|DE|de
Novasol|novasol.com novasol.de novasol.dk|DK|da de
Plum Guide|plumguide.com|GB|en
Traum-Ferienwohnungen|traum-ferienwohnungen.de|DE|de
Sykes|sykescottages.co.uk|GB|en
Vacasa|vacasa.com|US|en
`;
