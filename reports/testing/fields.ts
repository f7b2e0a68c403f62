/** The tables of fields in README.md, from the JSON schema. */
interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string | number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | false;
  readonly anyOf?: readonly Schema[];
}

/** A table with a row for each field: `[]` stands for each entry of an array, `*` for each key of a map. */
export function fieldTable(schema: unknown): string {
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rows(schema as Schema, '')].join('\n');
}

function rows(of: Schema, path: string): readonly string[] {
  const own = path === '' ? [] : [`| \`${path}\` | ${typeOf(of)} | ${of.description ?? ''} |`];
  const members = Object.entries(of.properties ?? formsMembers(of)).flatMap(([name, member]) =>
    rows(member, path === '' ? name : `${path}.${name}`),
  );
  const items = of.items === undefined ? [] : rows(of.items, `${path}[]`);
  const map = of.additionalProperties;
  const entries = map !== undefined && map !== false && map.properties !== undefined ? rows(map, `${path}.*`) : [];
  return [...own, ...members, ...items, ...entries];
}

function typeOf(of: Schema): string {
  if (of.type !== undefined) return of.type === 'boolean' ? 'true, false' : of.type;
  if (of.enum !== undefined) return of.enum.join(', ');
  if (of.anyOf === undefined) return String(of.const);
  return [...new Set(of.anyOf.map(({ type }) => type))].join(' or ');
}

/** Members of all forms of an object; of a constant that tells them apart, all values. */
function formsMembers({ anyOf = [] }: Schema): Readonly<Record<string, Schema>> {
  const all: Record<string, Schema> = {};
  for (const { properties = {} } of anyOf.filter(({ type }) => type === 'object')) {
    for (const [name, member] of Object.entries(properties)) {
      const { const: constant, description } = member;
      const before = all[name];
      const told = `${constant}: ${description}`;
      all[name] =
        constant === undefined
          ? member
          : {
              enum: [...(before?.enum ?? []), String(constant)],
              description: before === undefined ? told : `${before.description}; ${told}`,
            };
    }
  }
  return all;
}
