import { fold } from '../facts.ts';

/**
 * IATA designators of airlines that carry most passengers, written by hand from general knowledge; no list was copied.
 * It only fills in what a document leaves out (the code of a named airline, the name of a code).
 */
const AIRLINES = `
0B Blue Air|2B Aerocóndor|2L Helvetic Airways|3K Jetstar Asia|3O Air Arabia Maroc|3U Sichuan Airlines|4O Interjet|4U Germanwings
4Y Discover Airlines|4Z Airlink|5J Cebu Pacific|5T Canadian North|6E IndiGo|6H Israir|7C Jeju Air|8M Myanmar Airways International
9C Spring Airlines|9W Jet Airways|A3 Aegean Airlines|A5 HOP!|AA American Airlines|AB Air Berlin|AC Air Canada|AD Azul|AF Air France
AH Air Algérie|AI Air India|AK AirAsia|AM Aeroméxico|AP AlbaStar|AR Aerolíneas Argentinas|AS Alaska Airlines|AT Royal Air Maroc
AV Avianca|AY Finnair|AZ ITA Airways|B2 Belavia|B6 JetBlue|BA British Airways|BC Skymark Airlines|BG Biman Bangladesh Airlines
BJ Nouvelair|BR EVA Air|BT airBaltic|BX Air Busan|CA Air China|CI China Airlines|CM Copa Airlines|CX Cathay Pacific|CZ China Southern Airlines
D8 Norwegian Air Sweden|DE Condor|DL Delta Air Lines|DY Norwegian Air Shuttle|E4 Enter Air|EI Aer Lingus|EK Emirates|EN Air Dolomiti
ET Ethiopian Airlines|EW Eurowings|EY Etihad Airways|F9 Frontier Airlines|FA FlySafair|FB Bulgaria Air|FD Thai AirAsia|FI Icelandair
FJ Fiji Airways|FM Shanghai Airlines|FR Ryanair|FZ flydubai|G3 Gol|G4 Allegiant Air|G9 Air Arabia|GA Garuda Indonesia|GF Gulf Air
GK Jetstar Japan|GQ SKY express|H1 Hahn Air Systems|HA Hawaiian Airlines|HF Air Côte d'Ivoire|HO Juneyao Air|HR Hahn Air|HU Hainan Airlines
HV Transavia|HX Hong Kong Airlines|HY Uzbekistan Airways|I2 Iberia Express|IB Iberia|IX Air India Express|IZ Arkia|J2 Azerbaijan Airlines
J9 Jazeera Airways|JD Beijing Capital Airlines|JJ LATAM Brasil|JL Japan Airlines|JQ Jetstar|JT Lion Air|JU Air Serbia|KC Air Astana
KE Korean Air|KL KLM Royal Dutch Airlines|KM KM Malta Airlines|KQ Kenya Airways|KU Kuwait Airways|LA LATAM Airlines|LG Luxair
LH Lufthansa|LJ Jin Air|LM Loganair|LO LOT Polish Airlines|LS Jet2|LX SWISS|LY EL AL|MF XiamenAir|MH Malaysia Airlines|MK Air Mauritius
MS EgyptAir|MU China Eastern Airlines|N0 Norse Atlantic Airways|NF Air Vanuatu|NH All Nippon Airways|NK Spirit Airlines|NT Binter Canarias
NZ Air New Zealand|O4 Orange2Fly|OA Olympic Air|OD Batik Air Malaysia|OK Czech Airlines|OS Austrian Airlines|OU Croatia Airlines
OZ Asiana Airlines|PC Pegasus Airlines|PD Porter Airlines|PG Bangkok Airways|PK Pakistan International Airlines|PR Philippine Airlines
PS Ukraine International Airlines|PX Air Niugini|PY Surinam Airways|QF Qantas|QG Citilink|QR Qatar Airways|QS Smartwings|QW Qingdao Airlines
R3 Yakutia Airlines|RJ Royal Jordanian|RO TAROM|S4 Azores Airlines|S7 S7 Airlines|SA South African Airways|SC Shandong Airlines
SG SpiceJet|SK Scandinavian Airlines|SL Thai Lion Air|SN Brussels Airlines|SQ Singapore Airlines|SU Aeroflot|SV Saudia|SY Sun Country Airlines
TB TUI fly Belgium|TG Thai Airways|TK Turkish Airlines|TO Transavia France|TP TAP Air Portugal|TR Scoot|TS Air Transat|TU Tunisair
TW T'way Air|TX Air Caraïbes|U2 easyJet|U6 Ural Airlines|UA United Airlines|UK Vistara|UL SriLankan Airlines|UO HK Express|UP Bahamasair
UT UTair|UU Air Austral|UX Air Europa|V7 Volotea|VA Virgin Australia|VB VivaAerobus|VF AJet|VJ VietJet Air|VN Vietnam Airlines
VS Virgin Atlantic|VT Air Tahiti|VY Vueling|VZ Thai Vietjet Air|W4 Wizz Air Malta|W6 Wizz Air|W9 Wizz Air UK|WB RwandAir|WF Widerøe
WK Edelweiss Air|WN Southwest Airlines|WS WestJet|WX CityJet|WY Oman Air|X3 TUI fly|XQ SunExpress|XY flynas|Y4 Volaris|YP Air Premia|ZB Monarch Airlines
ZG ZIPAIR|ZH Shenzhen Airlines|ZP Paranair`;

const NAMES: ReadonlyMap<string, string> = new Map(
  AIRLINES.split(/[|\n]/)
    .filter((entry) => entry.trim() !== '')
    .map((entry) => [entry.slice(0, 2), entry.slice(3).trim()]),
);
const CODES: ReadonlyMap<string, string> = new Map([...NAMES].map(([code, name]) => [shortName(name), code]));

/** Name of an IATA airline designator. */
export function airlineName(code: string): string | undefined {
  return NAMES.get(code.trim().toUpperCase());
}

/** IATA designator of an airline's name, with or without `Airlines`, `Airways`, `Air Lines`. */
export function airlineCode(name: string): string | undefined {
  return name.length > 80 ? undefined : CODES.get(shortName(name));
}

function shortName(name: string): string {
  const folded = fold(name);
  return folded.replace(/(?:royaldutch)?(?:airlines|airways|airline|airlinesag|ag|gmbh|plc|dac|inc)+$/, '') || folded;
}
