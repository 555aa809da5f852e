import { readFileSync } from 'node:fs';
import { isMap, parseDocument, type YAMLMap } from 'yaml';
import { topicsOf, type Topics } from './event-flow.js';

export const valuesPath = 'helm/tasklane/values.yaml';

/**
 * The chart's values.yaml with the topics of each service of this repository as its code uses them; the chart makes the rights of
 * its login at Kafka of them. Edits the text, so that comments and line breaks stay.
 */
export function chartValues(
  text = readFileSync(valuesPath, 'utf8'),
  topics: (service: string) => Topics = topicsOf,
): string {
  const document = parseDocument(text);
  const defaults = (document.getIn(['defaults', 'topics']) as YAMLMap).toJSON() as Topics;
  const services = document.get('services') as YAMLMap<{ value: string }, YAMLMap<{ range: [number] }>>;
  let result = text;
  // From the end on, so that what was found before an edit keeps its place.
  for (const { key, value: entry } of services.items.toReversed()) {
    const own = Object.entries(topics(key.value)).filter(
      ([what, names]) => String(names) !== String(defaults[what as keyof Topics]),
    );
    const wanted =
      own.length === 0 ? '{}' : `{ ${own.map(([what, names]) => `${what}: [${names.join(', ')}]`).join(', ')} }`;
    const present = entry!.get('topics', true) as unknown;
    if (isMap(present)) {
      const [from, to] = present.range!;
      result = result.slice(0, from) + wanted + result.slice(to);
    } else if (own.length > 0) {
      const [start] = (entry!.items[1] ?? entry!.items[0]!).key.range;
      result = `${result.slice(0, start)}topics: ${wanted}\n    ${result.slice(start)}`;
    }
  }
  return result;
}
