import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const FILE = fileURLToPath(new URL("../../src/web/js/api_types.js", import.meta.url));
const OPENAPI = new URL("../../../../docs/openapi.json", import.meta.url);

const { schemas } = JSON.parse(readFileSync(OPENAPI, "utf8")).components;
const program = ts.createProgram([FILE], { allowJs: true, checkJs: true, strict: true });
const checker = program.getTypeChecker();
const module = checker.getSymbolAtLocation(program.getSourceFile(FILE));
const types = new Map(checker.getExportsOfModule(module).map((it) => [it.name, checker.getDeclaredTypeOfSymbol(it)]));

/** Returns the schema behind references and `null`. */
function resolved(schema) {
  if (schema.$ref) return resolved(schemas[schema.$ref.split("/").at(-1)]);
  if (schema.anyOf) return resolved(schema.anyOf.find((it) => it.type !== "null"));
  return schema;
}

/** Lists the keys that a type has and the schema does not, as paths. */
function undescribed(type, schema, at) {
  const it = checker.getNonNullableType(type);
  if (checker.isArrayType(it)) return undescribed(checker.getTypeArguments(it)[0], resolved(schema.items), `${at}[]`);
  if (!schema.properties) return [];
  return it.getProperties().flatMap((property) => {
    const path = `${at}.${property.name}`;
    const described = schema.properties[property.name];
    if (!described) return schema.additionalProperties === true ? [] : [path];
    return undescribed(checker.getTypeOfSymbol(property), resolved(described), path);
  });
}

test("every key that the page reads is in the API's description", () => {
  for (const [name, schema] of [
    ["Status", schemas.Status],
    ["History", schemas.History],
    ["Recorded", schemas.Recorder],
    ["Simulation", schemas.Simulation],
    ["DistributionPoint", resolved(schemas.Distribution.properties.points.items)],
  ])
    assert.deepEqual(undescribed(types.get(name), schema, name), [], name);
});

test("a key that is not described is found, however deep it lies", () => {
  const { lo, ...rest } = schemas.Interval.properties;
  const broken = { ...schemas.Interval, properties: rest };
  assert.deepEqual(undescribed(types.get("Interval"), broken, "Interval"), ["Interval.lo"]);
  const missing = { ...schemas.Status, properties: { ...schemas.Status.properties } };
  missing.properties.current_prediction = {
    properties: { ...schemas.Prediction.properties, interval: broken },
  };
  assert.deepEqual(undescribed(types.get("Status"), missing, "Status"), ["Status.current_prediction.interval.lo"]);
});
