export async function printCost() {}
