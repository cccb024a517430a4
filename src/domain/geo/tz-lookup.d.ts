declare module 'tz-lookup' {
  /** IANA zone at a coordinate, coarse at borders. Throws on coordinates off the globe. */
  export default function tzLookup(latitude: number, longitude: number): string;
}
