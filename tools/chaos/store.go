package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// store is a server that a cluster keeps something in, which a campaign may stop and start again. The cluster knows the
// line to it only.
type store struct {
	*line
	// at is where the server is, and data what it keeps, if that is in files.
	at, data string
	// start returns when the server answers, and stop when it has ended: as in a power cut.
	start, stop func() error
	// clear removes what it has kept; nil for nothing.
	clear func() error
}

// newStore starts a server that does not run yet, and opens a line to it.
func newStore(name string, s *store) (_ *store, err error) {
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if s.line, err = openLine(name, s.at); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// end stops it for good. A store that was not started has nothing to end.
func (s *store) end() error {
	if s == nil {
		return nil
	}
	s.close()
	err := s.stop()
	if s.clear != nil {
		err = errors.Join(err, s.clear())
	}
	return err
}

// freePort is one on which nobody listens now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// local is the address of a port of this machine.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// openPostgres makes a server with its data in a folder of its own. It does not run as root: then it is the user
// postgres's.
func openPostgres() (*store, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "chaos-postgres")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var as []string
	if os.Getuid() == 0 {
		as = []string{"runuser", "-u", "postgres", "--"}
		if err := giveTo("postgres", folder); err != nil {
			return nil, err
		}
	}
	run := func(program string, args ...string) error {
		command := append(append(as[:len(as):len(as)], filepath.Join(bin, program)), args...)
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = folder
		if err := cmd.Run(); err != nil { // its output would be kept open by the server
			return fmt.Errorf("%v: %w: see %s", command, err, filepath.Join(folder, "log"))
		}
		return nil
	}
	data := filepath.Join(folder, "data")
	if err := run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	options := fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories=%s -c max_connections=400", port, folder)
	return newStore("postgres", &store{
		at: local(port), data: data,
		start: func() error {
			return run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", filepath.Join(folder, "log"), "-o", options, "start")
		},
		stop:  func() error { return run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop") },
		clear: func() error { return os.RemoveAll(folder) },
	})
}

// postgresPrograms is the folder of the server's programs.
func postgresPrograms() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("there is no initdb: install PostgreSQL, a server of which is stopped here")
	}
	return filepath.Dir(path), nil
}

func giveTo(name, folder string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	return cmp.Or(uidErr, gidErr, os.Chown(folder, uid, gid))
}

// openRedis makes a server that keeps nothing on disk.
func openRedis() (*store, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var running *exec.Cmd
	return newStore("redis", &store{
		at: local(port),
		start: func() error {
			running = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no")
			if err := running.Start(); err != nil {
				return err
			}
			return answers(local(port))
		},
		stop: func() error {
			if err := running.Process.Kill(); err != nil {
				return err
			}
			running.Wait() // it says that it was killed
			return nil
		},
	})
}

// answers waits until somebody listens.
func answers(address string) error {
	for begun := time.Now(); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Since(begun) > 10*time.Second {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// openNATS makes a server in this process that keeps its streams in a folder.
func openNATS(folder string) (*store, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var running *server.Server
	return newStore("nats", &store{
		at: local(port),
		start: func() (err error) {
			running, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: folder, NoSigs: true, NoLog: true})
			if err != nil {
				return err
			}
			running.Start()
			if !running.ReadyForConnections(10 * time.Second) {
				return errors.New("it is not ready after 10 s")
			}
			return nil
		},
		stop: func() error {
			running.Shutdown()
			running.WaitForShutdown()
			return nil
		},
	})
}
