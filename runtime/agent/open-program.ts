/** The program of a generation that walks over open connections (bpf/open.h), and the map of cgroups that it is to look at. */
export const OPEN_PROGRAM = 'weft_open';
export const WALKED_MAP = 'weft_walked';
