"""packetdrill's options, from the command line and from the beginning of a script."""
import ipaddress
from dataclasses import dataclass, field

from .errors import ScriptError


@dataclass
class Config:
    ip_version: str = 'ipv4'
    bind_port: int = 8080
    connect_port: int = 8080
    remote_ip: str = None
    local_ip: str = None
    tolerance_usecs: int = 4000
    tolerance_percent: float = 12.5
    tcp_ts_tick_usecs: int = 0
    tcp_ts_ecr_scaled: bool = False
    strict_segments: bool = False
    non_fatal: str = ''
    so_flags: str = None
    define: dict = field(default_factory=dict)
    verbose: bool = False

    # What has a meaning for the kernel under test only.
    IGNORED = ('gateway_ip', 'netmask_ip', 'init_scripts', 'speed', 'mtu', 'mss', 'code_command',
               'code_format', 'code_sockopt', 'send_omit_free', 'is_anyip', 'debug', 'so_filename')

    def set(self, name, value):
        if name == 'define':
            symbol, _, meaning = value.partition('=')
            self.define[symbol] = meaning
        elif name in self.IGNORED:
            pass
        elif name not in self.__dataclass_fields__:
            raise ScriptError(f'no option --{name}')
        elif isinstance(getattr(self, name), bool):
            setattr(self, name, True)
        elif isinstance(getattr(self, name), (int, float)):
            setattr(self, name, type(getattr(self, name))(value))
        else:
            setattr(self, name, value)

    def finish(self):
        """The addresses: packetdrill's, but that it takes a random one of the network for the stack."""
        if self.ip_version not in ('ipv4', 'ipv6', 'ipv4-mapped-ipv6'):
            raise ScriptError(f'--ip_version={self.ip_version}')
        v6 = self.ip_version == 'ipv6'
        if self.local_ip is None:
            self.local_ip = 'fd3d:fa7b:d17d::1' if v6 else '192.168.0.1'
        if self.remote_ip is None:
            self.remote_ip = '2001:DB8::1' if v6 else '192.0.2.1'
        self.local = ipaddress.ip_address(self.local_ip)
        self.remote = ipaddress.ip_address(self.remote_ip.split('/')[0])
