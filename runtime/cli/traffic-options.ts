/** The option that names the form of recorded traffic, for each verb that reads some. */
import type { OptionSpec } from './command-spec.js';

export const TRAFFIC_FORMAT_OPTION: OptionSpec = {
  flags: '--format <NAME>',
  description: 'what the traffic is (default: by its beginning; stdin and pipes need it)',
  choices: ['records', 'har', 'envoy', 'pcap'],
};
