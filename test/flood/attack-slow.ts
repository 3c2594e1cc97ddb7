export async function slow(_: { readonly port: number }): Promise<number> { return 0; }
