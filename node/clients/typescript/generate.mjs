// Makes src/api.d.ts of node/openapi.json: every path with what it takes and gives. `--check` says whether it is current.
import { readFileSync, writeFileSync } from "node:fs";

const description = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));
const target = new URL("src/api.d.ts", import.meta.url);

/** A name of a schema as a type. */
const named = (reference) => reference.split("/").at(-1);

/** A schema as a type. */
function type(schema, indent) {
  if (!schema || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return named(schema.$ref);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.oneOf) return schema.oneOf.map((one) => type(one, indent)).join(" | ");
  const types = [schema.type].flat();
  return types.map((one) => single({ ...schema, type: one }, indent)).join(" | ");
}

function single(schema, indent) {
  switch (schema.type) {
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "string":
      return "string";
    case "array": {
      const items = type(schema.items, indent);
      return /[|{]/.test(items) ? `Array<${items}>` : `${items}[]`;
    }
    default:
      if (schema.properties) return fields(schema, indent);
      // Any JSON: what applications keep in properties.
      return "Json";
  }
}

function comment(text, indent) {
  return text ? `${indent}/** ${text.trim().replaceAll(/\s+/g, " ").replaceAll("*/", "* /")} */\n` : "";
}

const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function fields(schema, indent) {
  const inner = `${indent}  `;
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([name, property]) => {
    const mark = required.has(name) ? "" : "?";
    return `${comment(property.description, inner)}${inner}${key(name)}${mark}: ${type(property, inner)};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function parameters(operation, place, indent) {
  const all = (operation.parameters ?? []).filter((parameter) => parameter.in === place);
  if (all.length === 0) return undefined;
  const required = all.filter((parameter) => parameter.required).map((parameter) => parameter.name);
  const properties = Object.fromEntries(
    all.map((parameter) => [parameter.name, { ...parameter.schema, description: parameter.description }]),
  );
  return { text: fields({ properties, required }, indent), needed: required.length > 0 };
}

function body(content, indent) {
  return type(content?.["application/json"]?.schema, indent);
}

function operation(method, described) {
  const indent = "      ";
  const parts = [];
  for (const place of ["path", "query"]) {
    const found = parameters(described, place, indent);
    if (found) parts.push(`${indent}${place}${found.needed ? "" : "?"}: ${found.text};\n`);
  }
  const request = described.requestBody;
  if (request?.content?.["application/json"]) {
    parts.push(`${indent}body${request.required ? "" : "?"}: ${body(request.content, indent)};\n`);
  }
  const [, good] = Object.entries(described.responses).find(([status]) => status.startsWith("2"));
  const streams = good.content && "text/event-stream" in good.content;
  const answer = streams
    ? `AsyncIterable<${type(good.content["text/event-stream"].schema, indent)}>`
    : good.content
      ? body(good.content, indent)
      : "undefined";
  parts.push(`${indent}answer: ${answer};\n`);
  return `${comment(described.summary ?? described.description, "    ")}    ${method.toUpperCase()}: {\n${parts.join("")}    };\n`;
}

const METHODS = ["get", "post", "patch", "put", "delete"];
let text = "// Made of node/openapi.json by generate.mjs; do not edit.\n\n";
text += "/** Any JSON value. */\nexport type Json = null | boolean | number | string | Json[] | { [key: string]: Json };\n\n";
for (const [name, schema] of Object.entries(description.components.schemas)) {
  text += `${comment(schema.description, "")}export type ${name} = ${type(schema, "")};\n\n`;
}
text += "/** Every path of the API, and what each of its methods takes and gives. */\nexport interface Paths {\n";
for (const [path, methods] of Object.entries(description.paths)) {
  const operations = METHODS.filter((method) => methods[method]).map((method) => operation(method, methods[method]));
  text += `  ${JSON.stringify(path)}: {\n${operations.join("")}  };\n`;
}
text += "}\n";

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("src/api.d.ts is not that of node/openapi.json: npm run generate");
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
