// What policies import as "weft".
export { Attribute } from "./attribute";
export { CidrSet } from "./cidr-set";
export { Address, Connection, Destination, Party, Protocol } from "./connection";
export { cluster, Route, split } from "./route";
export { Table } from "./table";
export { Verdict } from "./verdict";
