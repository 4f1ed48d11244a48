"""Attacks by environment code, and the layers that stop each of them."""

from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from tests.sandbox.raw_code import Payload

USER, NETWORK, IPC = Layer.USER_NAMESPACE, Layer.NETWORK_NAMESPACE, Layer.IPC_NAMESPACE
UTS, MOUNT, PID = Layer.UTS_NAMESPACE, Layer.MOUNT_NAMESPACE, Layer.PID_NAMESPACE
LANDLOCK, UNPRIVILEGED, HIDDEN = Layer.LANDLOCK, Layer.UNPRIVILEGED, Layer.NOT_INSPECTABLE
RLIMITS, SECCOMP, DESCRIPTORS = Layer.RLIMITS, Layer.SECCOMP, Layer.DESCRIPTORS

FILES = [
    Payload(
        "read a file",
        "return open(given['file']).read()",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
    ),
    Payload(
        "read the list of users",
        "return open('/etc/passwd').readline()",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
    ),
    Payload(
        "read a file by a raw system call",
        "return os.read(syscall('openat', -100, given['file'].encode(), 0, 0), 100).decode()",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
    ),
    Payload(
        "write a file",
        "with open(given['new'], 'w') as new: return new.write('x')",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
    ),
    Payload(
        "list a folder",
        "return os.listdir('/etc')",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
    ),
    Payload(
        "make a folder",
        "os.mkdir(given['new'] + '_folder'); return 'made'",
        (SECCOMP, LANDLOCK, MOUNT),
    ),
    Payload(
        "delete a file",
        "os.unlink(given['victim']); return 'deleted'",
        (SECCOMP, LANDLOCK, MOUNT),
    ),
    Payload(
        "make a symbolic link",
        "os.symlink('/etc/passwd', given['new']); return 'linked'",
        (SECCOMP, LANDLOCK, MOUNT),
    ),
    Payload(
        "look whether a file exists",
        "return os.stat('/etc/passwd').st_mode",
        (SECCOMP, MOUNT),
    ),
    Payload(
        "open its own memory as a file",
        "return os.open('/proc/self/mem', os.O_RDWR)",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
        aside=(HIDDEN, UNPRIVILEGED),
    ),
    Payload(
        "read its first environment",
        "return open('/proc/self/environ').read()",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
        aside=(HIDDEN, UNPRIVILEGED),
    ),
    Payload(
        "list the descriptors of the zygote",
        "return os.listdir(f'/proc/{given[\"zygote\"]}/fd')",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
        aside=(HIDDEN, UNPRIVILEGED),
    ),
    Payload(
        "make a file in memory",
        "return syscall('memfd_create', b'x', 0)",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "watch files",
        "return syscall('inotify_init1', 0)",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "load a native library",
        "return ctypes.CDLL(given['library'])._name",
        (SECCOMP, LANDLOCK, MOUNT, RLIMITS),
    ),
]

NETWORKING = [
    Payload(
        "connect over TCP",
        "socket.socket().connect(('127.0.0.1', given['tcp'])); return 'connected'",
        (SECCOMP, RLIMITS, NETWORK, LANDLOCK),
    ),
    Payload(
        "listen on TCP",
        "return socket.create_server(('127.0.0.1', 0)).getsockname()[1]",
        (SECCOMP, RLIMITS, LANDLOCK),
    ),
    Payload(
        "send over UDP",
        "return socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', given['udp']))",
        (SECCOMP, RLIMITS, NETWORK),
    ),
    Payload(
        "connect to a socket in the file system",
        "socket.socket(socket.AF_UNIX).connect(given['unix']); return 'connected'",
        (SECCOMP, RLIMITS, MOUNT),
    ),
    Payload(
        "connect to an abstract socket",
        "socket.socket(socket.AF_UNIX).connect('\\0' + given['abstract']); return 'connected'",
        (SECCOMP, RLIMITS, NETWORK, LANDLOCK),
    ),
    Payload(
        "ask the kernel for routes",
        "return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno()",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "open a raw socket",
        "return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno()",
        (SECCOMP, RLIMITS, UNPRIVILEGED),
        aside=(USER,),
        as_root=True,
    ),
    Payload(
        "open a packet socket",
        "return socket.socket(socket.AF_PACKET, socket.SOCK_RAW).fileno()",
        (SECCOMP, RLIMITS, UNPRIVILEGED),
        aside=(USER,),
        as_root=True,
    ),
    Payload(
        "open a socket of the kernel's cryptography",
        "return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).fileno()",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "open a socket to the hypervisor",
        "return socket.socket(socket.AF_VSOCK).fileno()",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "make a pair of sockets",
        "return [end.fileno() for end in socket.socketpair()]",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "make a pipe",
        "return os.pipe()",
        (SECCOMP, RLIMITS),
    ),
]

PROCESSES = [
    Payload(
        "fork",
        """
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        return pid
        """,
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "start a thread",
        """
        import _thread
        try:
            return _thread.start_new_thread(int, ())
        except RuntimeError:
            raise OSError(errno.EAGAIN, "no thread")
        """,
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "spawn a program",
        "return os.posix_spawn('/bin/true', ['true'], {})",
        (SECCOMP, RLIMITS, LANDLOCK, MOUNT),
    ),
    Payload(
        "become another program",
        """
        body = b'[1,"ok",{"escaped":"executed"}]'
        frame = "".join("\\\\%03o" % byte for byte in struct.pack("<I", len(body)) + body)
        os.dup2(channel().fileno(), 9)
        os.execv("/bin/sh", ["sh", "-c", f"printf '{frame}' >&9"])
        """,
        (SECCOMP, LANDLOCK, MOUNT),
        aside=(RLIMITS,),
    ),
    Payload(
        "trace the zygote",
        "syscall('ptrace', 0x4206, os.getppid(), 0, 0); return 'traced'",
        (SECCOMP, HIDDEN),
        aside=(UNPRIVILEGED,),
    ),
    Payload(
        "have itself traced",
        "syscall('ptrace', 0, 0, 0, 0); return 'traced'",
        (SECCOMP,),
    ),
    Payload(
        "kill the zygote",
        "os.kill(os.getppid(), signal.SIGKILL); return 'sent'",
        (SECCOMP,),
        contained=(PID,),
    ),
    Payload(
        "signal everyone",
        "os.kill(-1, 0); return 'allowed'",
        (SECCOMP,),
    ),
    Payload(
        "signal a neighbour",
        """
        own, found = os.getpid(), []
        for pid in range(max(2, own - 200), own):
            try:
                os.kill(pid, 0)
                found.append(pid)
            except ProcessLookupError:
                pass
        return found
        """,
        (SECCOMP,),
        contained=(PID,),
    ),
    Payload(
        "signal the server",
        "os.kill(given['server'], 0); return 'allowed'",
        (SECCOMP, PID, LANDLOCK),
        aside=(UNPRIVILEGED,),
    ),
    Payload(
        "leave the session",
        "return os.setsid() or 'left'",
        (SECCOMP,),
    ),
    Payload(
        "handle a signal",
        "signal.signal(signal.SIGUSR1, lambda *_: None); return 'handled'",
        (SECCOMP,),
    ),
    Payload(
        "block signals",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); return 'blocked'",
        (SECCOMP,),
    ),
    Payload(
        "set a timer",
        "signal.setitimer(signal.ITIMER_REAL, 3600); return 'set'",
        (SECCOMP,),
    ),
    Payload(
        "take a higher priority",
        "os.setpriority(os.PRIO_PROCESS, 0, 0); return 'raised'",
        (SECCOMP, UNPRIVILEGED, USER),
        as_root=True,
    ),
    Payload(
        "choose its processors",
        "os.sched_setaffinity(0, os.sched_getaffinity(0)); return 'chosen'",
        (SECCOMP,),
    ),
    Payload(
        "survive its parent",
        "syscall('prctl', 1, 0, 0, 0, 0); return 'survives'",
        (SECCOMP,),
    ),
]

DESCRIPTOR_TABLE = [
    Payload(
        "guess descriptors",
        """
        own, found = channel().fileno(), []
        for descriptor in range(3, 256):
            try:
                os.write(descriptor, b"")
                found.append(descriptor)
            except OSError as error:
                if error.errno != errno.EBADF:
                    found.append(descriptor)
        found.remove(own)
        return found
        """,
        (DESCRIPTORS,),
    ),
    Payload(
        "receive from the control socket",
        """
        own, found, buffer = channel().fileno(), [], ctypes.create_string_buffer(100)
        for descriptor in range(3, 256):
            waiting = descriptor != own and libc.recv(descriptor, buffer, 100, 0x42)
            if waiting is not False and (waiting >= 0 or ctypes.get_errno() == errno.EAGAIN):
                found.append(descriptor)
        return found
        """,
        (DESCRIPTORS,),
        # Looking without receiving is a flag that the filter refuses.
        aside=(SECCOMP,),
    ),
    Payload(
        "take a descriptor from the zygote",
        """
        zygote = syscall("pidfd_open", os.getppid(), 0)
        for descriptor in range(3, 256):
            try:
                return syscall("pidfd_getfd", zygote, descriptor, 0)
            except OSError as error:
                if error.errno != errno.EBADF:
                    raise
        """,
        (SECCOMP, RLIMITS, HIDDEN),
        aside=(UNPRIVILEGED,),
    ),
    Payload(
        "copy a descriptor",
        "return os.dup(channel().fileno())",
        (SECCOMP, RLIMITS),
    ),
]

MEMORY = [
    Payload(
        "map executable memory",
        "return checked(libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0)))",
        (SECCOMP,),
    ),
    Payload(
        "make memory executable",
        """
        page = checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0)))
        checked(libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), 5))
        return page
        """,
        (SECCOMP,),
    ),
    Payload(
        "make memory executable by its key",
        """
        page = checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0)))
        return syscall("pkey_mprotect", page, 4096, 7, -1) or page
        """,
        (SECCOMP,),
    ),
    Payload(
        "take more memory at once than allowed",
        "return len(bytearray(65 << 20))",
        (RLIMITS,),
    ),
    Payload(
        "take memory without end",
        """
        taken = []
        while len(taken) < 96:
            taken.append(bytearray(1 << 20))
        return len(taken)
        """,
        (RLIMITS,),
    ),
    Payload(
        "lock memory",
        """
        page = checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0)))
        checked(libc.mlock(ctypes.c_void_p(page), ctypes.c_size_t(4096)))
        return page
        """,
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "attach shared memory",
        "return checked(libc.shmget(given['shared_memory'], 4096, 0o666)) + 1",
        (SECCOMP, IPC),
    ),
    Payload(
        "read the memory of the zygote",
        """
        buffer = ctypes.create_string_buffer(8)
        here = struct.pack("QQ", ctypes.addressof(buffer), 8)
        there = struct.pack("QQ", id(os), 8)
        syscall("process_vm_readv", os.getppid(), here, 1, there, 1, 0)
        return len(buffer.raw)
        """,
        (SECCOMP, HIDDEN),
        aside=(UNPRIVILEGED,),
    ),
    Payload(
        "handle page faults",
        "return syscall('userfaultfd', 1)",
        (SECCOMP, RLIMITS),
    ),
]

RIGHTS = [
    Payload(
        "read environment variables",
        """
        libc.getenv.restype = ctypes.c_char_p
        return (libc.getenv(b"PYTHONHASHSEED") or b"").decode()
        """,
        (Layer.ENVIRONMENT,),
    ),
    Payload(
        "enter a new user namespace",
        "return syscall('unshare', 0x10000000) or 'entered'",
        (SECCOMP, USER),
    ),
    Payload(
        "enter a new network namespace",
        "return syscall('unshare', 0x40000000) or 'entered'",
        (SECCOMP, UNPRIVILEGED),
        as_root=True,
    ),
    Payload(
        "become another user",
        "os.setresuid(1234, 1234, 1234); return os.getuid()",
        (SECCOMP, UNPRIVILEGED, USER),
        as_root=True,
    ),
    Payload(
        "raise its own limits",
        "checked(libc.setrlimit(resource.RLIMIT_NPROC, struct.pack('QQ', 9, 9))); return 'raised'",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "read the limits of the zygote",
        "return resource.prlimit(os.getppid(), resource.RLIMIT_NPROC)",
        (SECCOMP,),
    ),
    Payload(
        "change the root",
        "os.chroot('/'); return 'changed'",
        (SECCOMP, UNPRIVILEGED),
        as_root=True,
    ),
    Payload(
        "mount a file system",
        "return syscall('mount', b'x', b'/', b'tmpfs', 0, None) or 'mounted'",
        (SECCOMP, UNPRIVILEGED, LANDLOCK),
        aside=(USER,),
        as_root=True,
        contained=(MOUNT,),
    ),
    Payload(
        "name the host",
        "socket.sethostname('renamed'); return 'named'",
        (SECCOMP, UNPRIVILEGED),
        aside=(USER,),
        as_root=True,
        contained=(UTS,),
    ),
    Payload(
        "read the host's name",
        "return os.uname().nodename == given['host']",
        (SECCOMP, UTS),
    ),
    Payload(
        "read the machine's uptime",
        """
        buffer = ctypes.create_string_buffer(256)
        syscall("sysinfo", buffer)
        return struct.unpack_from("q", buffer)[0]
        """,
        (SECCOMP,),
    ),
    Payload(
        "let others inspect it",
        "syscall('prctl', 4, 1, 0, 0, 0); return 'open'",
        (SECCOMP,),
    ),
    Payload(
        "make all readable memory executable",
        "return syscall('personality', 0x0400000) + 1",
        (SECCOMP,),
    ),
    Payload(
        "set up a ring of requests",
        "return syscall('io_uring_setup', 4, ctypes.create_string_buffer(120))",
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "give the kernel a program",
        "return syscall('bpf', 0, struct.pack('IIIII', 2, 4, 8, 1, 0).ljust(128, b'\\0'), 128)",
        (SECCOMP, UNPRIVILEGED, RLIMITS),
        aside=(USER,),
        as_root=True,
    ),
    Payload(
        "count the processor's events",
        # A software event, of this process alone, the kernel's own part excluded.
        """
        attributes = struct.pack("IIQQQQQ", 1, 64, 1, 0, 0, 0, 1 << 5 | 1 << 6).ljust(64, b"\\0")
        return syscall("perf_event_open", attributes, 0, -1, -1, 0)
        """,
        (SECCOMP, RLIMITS),
    ),
    Payload(
        "use the kernel's keys",
        "return syscall('keyctl', 0, -1, 1)",
        (SECCOMP,),
    ),
    Payload(
        "store a key in the kernel",
        "return syscall('add_key', b'user', b'x', b'y', 1, -1)",
        (SECCOMP,),
    ),
    Payload(
        "call the kernel in another manner",
        """
        # As x32; a kernel without it says so, which is an answer already.
        libc.syscall(0x40000000 | 39)
        return "answered"
        """,
        (SECCOMP,),
    ),
]

ARGUMENTS = [
    # Allowed calls with arguments that nothing honest uses.
    Payload(
        "send a byte out of the order of the channel",
        "return channel().send(b'x', socket.MSG_OOB)",
        (SECCOMP,),
    ),
    Payload(
        "look into the channel without receiving",
        """
        buffer = ctypes.create_string_buffer(1)
        if libc.recv(channel().fileno(), buffer, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) < 0:
            if ctypes.get_errno() != errno.EAGAIN:
                checked(-1)
        return "looked"
        """,
        (SECCOMP,),
    ),
    Payload(
        "read the processor time of another process",
        """
        buffer = ctypes.create_string_buffer(16)
        for process in (1, given["zygote"]):
            try:
                syscall("clock_gettime", (~process << 3) | 2, buffer)
                return struct.unpack("qq", buffer.raw)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
        """,
        (SECCOMP,),
    ),
    Payload(
        "read the time since the machine was started",
        """
        buffer = ctypes.create_string_buffer(16)
        syscall("clock_gettime", 7, buffer)
        return struct.unpack("qq", buffer.raw)
        """,
        (SECCOMP,),
    ),
    Payload(
        "take a lock with priority inheritance",
        "return syscall('futex', ctypes.byref(ctypes.c_uint32(0)), 6 | 128, 0, None) or 'locked'",
        (SECCOMP,),
    ),
    Payload(
        "requeue waiters of a lock",
        """
        one, other = ctypes.c_uint32(0), ctypes.c_uint32(0)
        return syscall("futex", ctypes.byref(one), 4 | 128, 0, 1, ctypes.byref(other), 0) or "requeued"
        """,
        (SECCOMP,),
    ),
    Payload(
        "move memory to an address of its choice",
        """
        page, other = (
            checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0))) for _ in range(2)
        )
        return syscall("mremap", page, 4096, 4096, 1 | 2, other)
        """,
        (SECCOMP,),
    ),
    Payload(
        "map memory that others can share",
        "return checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x21, -1, ctypes.c_long(0)))",
        (SECCOMP,),
    ),
    Payload(
        "have pages compared with those of others",
        """
        page = checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0)))
        if libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(4096), 12) < 0:
            # A kernel without this function refuses the advice as unknown.
            number = ctypes.get_errno()
            raise OSError(errno.ENOSYS if number == errno.EINVAL else number, "")
        return page
        """,
        (SECCOMP,),
    ),
    Payload(
        "keep memory out of a fork",
        """
        page = checked(libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0)))
        checked(libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(4096), 10) or 1)
        return page
        """,
        (SECCOMP,),
    ),
    Payload(
        "use up the limited pool of random numbers",
        "return syscall('getrandom', ctypes.create_string_buffer(1), 1, 2)",
        (SECCOMP,),
    ),
]

PAYLOADS = ARGUMENTS + FILES + NETWORKING + PROCESSES + DESCRIPTOR_TABLE + MEMORY + RIGHTS
