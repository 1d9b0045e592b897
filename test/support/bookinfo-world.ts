/** A small world that unit tests share, as a person would write it. */
export const BOOKINFO = `services:
  - name: reviews.prod
    addresses: [10.96.0.10, "fd00:96::10"]
    ports: [{ port: 80, target: 9080, protocol: http }]
    clusters:
      - { name: reviews/v1, selector: { app: reviews, version: v1 } }
      - { name: reviews/v2, selector: { app: reviews, version: v2 } }
  - name: ratings.prod
    addresses: [10.96.0.11]
    ports: [{ port: 9080 }]
    clusters:
      - { name: ratings/v1, selector: { app: ratings } }
workloads:
  - name: productpage-v1.prod
    addresses: [10.1.0.2, "fd00:1::2"]
    labels: { app: productpage }
    serviceAccount: productpage
  - name: reviews-v1.prod
    addresses: [10.1.0.4, "fd00:1::4"]
    labels: { app: reviews, version: v1 }
    serviceAccount: reviews
    locality: { region: eu, zone: eu-1 }
    cgroup: /weft-demo/reviews-v1
  - name: reviews-v2.prod
    addresses: [10.1.0.5, "fd00:1::5"]
    labels: { app: reviews, version: v2 }
  - name: ratings-v1.prod
    addresses: [10.1.0.6]
    labels: { app: ratings }
  - name: intruder.dev
    addresses: [10.2.0.9]
    labels: { app: ratings }
    serviceAccount: intruder
`;
