// Texts of the onboarding page: how each language and agent sends profiles here.

export interface Snippet {
  title: string;
  text: string;
}
interface Target {
  origin: string;
  /** The server wants a tenant header. */
  tenancy: boolean;
}
interface Language {
  id: string;
  name: string;
  blocks(target: Target): Snippet[];
}

const lines = (...text: string[]): string => text.join('\n');
const curlTenant = ({ tenancy }: Target): string => (tenancy ? ' -H "X-Scope-OrgID: my-tenant"' : '');
const envTenant = ({ tenancy }: Target): string[] => (tenancy ? ['export PYROSCOPE_TENANT_ID=my-tenant'] : []);

/** One profile of a running Go program, now. */
const goNow = (t: Target): string =>
  lines(
    "curl -s 'http://localhost:6060/debug/pprof/profile?seconds=10' |",
    `  curl --data-binary @-${curlTenant(t)} \\`,
    `  "${t.origin}/ingest?name=my-service&from=$(($(date +%s)-10))&until=$(date +%s)"`,
  );

export const LANGUAGES: readonly Language[] = [
  {
    id: 'go',
    name: 'Go',
    blocks: (t) => [
      { title: 'One profile, now', text: goNow(t) },
      {
        title: 'Continuously, from the program',
        text: lines(
          'import "github.com/grafana/pyroscope-go"',
          '',
          'pyroscope.Start(pyroscope.Config{',
          '  ApplicationName: "my-service",',
          `  ServerAddress:   "${t.origin}",`,
          ...(t.tenancy ? ['  TenantID:        "my-tenant",'] : []),
          '  Tags:            map[string]string{"region": "eu"},',
          '})',
        ),
      },
    ],
  },
  {
    id: 'java',
    name: 'Java',
    blocks: (t) => [
      {
        title: 'One profile, now, with async-profiler (this version reads no JFR yet)',
        text: lines(
          'asprof -d 10 -o collapsed -f /tmp/stacks.txt <pid>',
          `curl --data-binary @/tmp/stacks.txt${curlTenant(t)} \\`,
          `  "${t.origin}/ingest?name=my-service&format=folded&sampleRate=100&from=$(($(date +%s)-10))"`,
        ),
      },
      {
        title: 'The same, every minute',
        text: lines(
          'while asprof -d 60 -o collapsed -f /tmp/stacks.txt <pid>; do',
          `  curl --data-binary @/tmp/stacks.txt${curlTenant(t)} \\`,
          `    "${t.origin}/ingest?name=my-service&format=folded&sampleRate=100&from=$(($(date +%s)-60))"`,
          'done',
        ),
      },
    ],
  },
  {
    id: 'python',
    name: 'Python',
    blocks: (t) => [
      {
        title: 'Continuously, from the program',
        text: lines(
          'import pyroscope  # pip install pyroscope-io',
          '',
          'pyroscope.configure(',
          '    application_name="my-service",',
          `    server_address="${t.origin}",`,
          ...(t.tenancy ? ['    tenant_id="my-tenant",'] : []),
          ')',
        ),
      },
      {
        title: 'One profile of a running process',
        text: lines(
          'py-spy record --pid <pid> --duration 10 --format raw --output /tmp/stacks.txt',
          `curl --data-binary @/tmp/stacks.txt${curlTenant(t)} "${t.origin}/ingest?name=my-service&format=folded"`,
        ),
      },
    ],
  },
  {
    id: 'node',
    name: 'Node',
    blocks: (t) => [
      {
        title: 'Continuously, from the program',
        text: lines(
          "const Pyroscope = require('@pyroscope/nodejs');",
          '',
          'Pyroscope.init({',
          "  appName: 'my-service',",
          `  serverAddress: '${t.origin}',`,
          ...(t.tenancy ? ["  tenantID: 'my-tenant',"] : []),
          '});',
          'Pyroscope.start();',
        ),
      },
    ],
  },
  {
    id: 'rust',
    name: 'Rust',
    blocks: (t) => [
      {
        title: 'Continuously, from the program',
        text: lines(
          'let agent = PyroscopeAgent::builder(',
          `    "${t.origin}", "my-service")`,
          '    .backend(pprof_backend(PprofConfig::new().sample_rate(100)))',
          '    .build()?;',
          'let running = agent.start()?;',
        ),
      },
    ],
  },
  {
    id: 'cpp',
    name: 'C/C++',
    blocks: (t) => [
      {
        title: 'One profile of a running process, with perf',
        text: lines(
          'perf record -F 99 -g -p <pid> -- sleep 10',
          'perf script | stackcollapse-perf.pl > /tmp/stacks.txt',
          `curl --data-binary @/tmp/stacks.txt${curlTenant(t)} "${t.origin}/ingest?name=my-service&format=folded"`,
        ),
      },
      {
        title: 'A profile that gperftools wrote',
        text: lines(
          'pprof --proto ./my-service cpu.prof > /tmp/cpu.pb.gz',
          `curl --data-binary @/tmp/cpu.pb.gz${curlTenant(t)} "${t.origin}/ingest?name=my-service"`,
        ),
      },
    ],
  },
  {
    id: 'dotnet',
    name: '.NET',
    blocks: (t) => [
      {
        title: 'Continuously, with the .NET profiler',
        text: lines(
          'export PYROSCOPE_APPLICATION_NAME=my-service',
          `export PYROSCOPE_SERVER_ADDRESS=${t.origin}`,
          ...envTenant(t),
          'export PYROSCOPE_PROFILING_ENABLED=1',
          'export CORECLR_ENABLE_PROFILING=1',
          'export CORECLR_PROFILER={BD1A650D-AC5D-4896-B64F-D6FA25D6B26A}',
          'export CORECLR_PROFILER_PATH=/opt/pyroscope/Pyroscope.Profiler.Native.so',
          'export LD_PRELOAD=/opt/pyroscope/Pyroscope.Linux.ApiWrapper.x64.so',
          'dotnet my-service.dll',
        ),
      },
    ],
  },
  {
    id: 'ruby',
    name: 'Ruby',
    blocks: (t) => [
      {
        title: 'Continuously, from the program',
        text: lines(
          "require 'pyroscope'",
          '',
          'Pyroscope.configure do |config|',
          "  config.application_name = 'my-service'",
          `  config.server_address = '${t.origin}'`,
          ...(t.tenancy ? ["  config.tenant_id = 'my-tenant'"] : []),
          'end',
        ),
      },
    ],
  },
  {
    id: 'ebpf',
    name: 'eBPF (whole host)',
    blocks: (t) => [
      {
        title: 'Grafana Alloy, every process of the machine',
        text: lines(
          'pyroscope.write "hearth" {',
          '  endpoint {',
          `    url = "${t.origin}"`,
          ...(t.tenancy ? ['    headers = { "X-Scope-OrgID" = "my-tenant" }'] : []),
          '  }',
          '}',
          'discovery.process "all" { }',
          'pyroscope.ebpf "host" {',
          '  forward_to = [pyroscope.write.hearth.receiver]',
          '  targets    = discovery.process.all.targets',
          '}',
        ),
      },
    ],
  },
  {
    id: 'alloy',
    name: 'Alloy (scrape)',
    blocks: (t) => [
      {
        title: 'Scrape net/http/pprof of your services (this version reads no OTLP yet)',
        text: lines(
          'pyroscope.scrape "default" {',
          '  targets    = [{"__address__" = "localhost:6060", "service_name" = "my-service"}]',
          '  forward_to = [pyroscope.write.hearth.receiver]',
          '}',
          'pyroscope.write "hearth" {',
          `  endpoint { url = "${t.origin}"${t.tenancy ? ' headers = { "X-Scope-OrgID" = "my-tenant" }' : ''} }`,
          '}',
        ),
      },
    ],
  },
  {
    id: 'curl',
    name: 'curl',
    blocks: (t) => [
      {
        title: 'Folded stacks: one line per stack, frames from the root, a count',
        text: lines(
          `printf 'main;serve;json.Marshal 42\\nmain;serve;cache.get 17\\n' |`,
          `  curl --data-binary @-${curlTenant(t)} "${t.origin}/ingest?name=my-service&format=folded"`,
        ),
      },
      {
        title: 'A pprof file',
        text: `curl --data-binary @cpu.pb.gz${curlTenant(t)} "${t.origin}/ingest?name=my-service"`,
      },
    ],
  },
];
