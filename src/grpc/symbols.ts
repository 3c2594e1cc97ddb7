import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** Symbols finds files and their imports by file name and by the symbols that they declare. */
export class Symbols {
  /** By the name as imports spell it. The name in `DescFile` has no extension. */
  readonly #files = new Map<string, DescFile>();
  readonly #serialised = new Map<DescFile, Uint8Array>();
  readonly #declaredIn = new Map<string, string>();
  readonly #messages = new Set<string>();

  constructor(files: readonly DescFile[]) {
    for (const file of closure(files)) this.#add(file);
  }

  /**
   * Finds a file by the name that imports use, such as `discovery/v1/cluster.proto`. Returns it with all of its imports,
   * serialised.
   */
  file(name: string): readonly Uint8Array[] | undefined {
    const file = this.#files.get(name);
    return file && closure([file]).map((each) => this.#bytesOf(each));
  }

  /** Finds a file by the full name of a service, method, message, field, oneof, enum or enum value in it. */
  declaring(symbol: string): readonly Uint8Array[] | undefined {
    return this.file(this.#declaredIn.get(symbol) ?? '');
  }

  isMessage(typeName: string): boolean {
    return this.#messages.has(typeName);
  }

  /** Serialises a file when it is first requested, because most services are never asked for their schema. */
  #bytesOf(file: DescFile): Uint8Array {
    const known = this.#serialised.get(file);
    if (known !== undefined) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    this.#serialised.set(file, bytes);
    return bytes;
  }

  #add(file: DescFile): void {
    const name = file.proto.name;
    this.#files.set(name, file);
    for (const type of nestedTypes(file)) {
      const typeName = type.typeName;
      this.#declaredIn.set(typeName, name);
      if (type.kind === 'message') {
        this.#messages.add(typeName);
        for (const { name: part } of [...type.fields, ...type.oneofs]) {
          this.#declaredIn.set(`${typeName}.${part}`, name);
        }
      } else if (type.kind === 'service') {
        for (const method of type.methods) this.#declaredIn.set(`${typeName}.${method.name}`, name);
      } else if (type.kind === 'enum') {
        // The values of an enum are in the scope of the enum, not inside it.
        const scope = typeName.slice(0, typeName.lastIndexOf('.') + 1);
        for (const value of type.values) this.#declaredIn.set(`${scope}${value.name}`, name);
      }
    }
  }
}

/** Returns files and all of their imports, each once, the given ones first. */
function closure(files: readonly DescFile[]): readonly DescFile[] {
  const found = new Set(files);
  for (const file of found) for (const imported of file.dependencies) found.add(imported);
  return [...found];
}
