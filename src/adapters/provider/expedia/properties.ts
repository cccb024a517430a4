import { kindOf } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ProviderRequest, ProviderResponse } from '../http/http.ts';
import { type Property, propertiesSchema } from './schema.ts';

/** Names and addresses of houses hardly ever change. */
const KEPT_MS = 24 * 3_600_000;
/** Some 5 MB. */
const KEPT_MAX = 10_000;

/**
 * Names of houses by their number, asked once a day each. A booking is told without its house's name rather than not at
 * all: what fails here is tried again with the next reading, and what was known holds meanwhile.
 */
export function createProperties(
  ask: (path: string, signal: AbortSignal, more?: Partial<ProviderRequest>) => Promise<ProviderResponse>,
  clock: Pick<Clock, 'now'>,
) {
  const kept = new Map<string, { readonly at: number; readonly property: Property | undefined }>();

  return async (id: string | null | undefined, signal: AbortSignal): Promise<Property | undefined> => {
    if (!id || !/^\d{1,20}$/.test(id)) return undefined;
    const known = kept.get(id);
    if (known !== undefined && clock.now() - known.at < KEPT_MS) return known.property;
    try {
      const path = `/properties/content?language=en-US&supply_source=expedia&property_id=${id}`;
      const { status, json } = await ask(path, signal, { also: [404] });
      const parsed = status === 200 ? propertiesSchema.safeParse(json) : undefined;
      const property = parsed?.success && Object.hasOwn(parsed.data, id) ? parsed.data[id] : undefined;
      if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value!);
      kept.set(id, { at: clock.now(), property });
      return property;
    } catch (error) {
      if (kindOf(error) === 'cancelled') throw error;
      return known?.property;
    }
  };
}
