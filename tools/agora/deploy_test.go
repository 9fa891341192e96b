package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"

	"github.com/agora-supergraph/agora/router/config"
)

const deployFolder = "../deploy/"

// composeProject is docker-compose.yml with the environment of a file, "" for none.
func composeProject(t *testing.T, env string) (*types.Project, error) {
	t.Helper()
	details := types.ConfigDetails{WorkingDir: "../..", ConfigFiles: []types.ConfigFile{{Filename: "../../docker-compose.yml"}}, Environment: types.Mapping{}}
	if env != "" {
		values, err := dotenv.Read(env)
		if err != nil {
			t.Fatal(err)
		}
		details.Environment = values
	}
	return loader.LoadWithContext(context.Background(), details, loader.WithProfiles([]string{"development"}))
}

// accepted reads the configuration file that a command line names, with an environment, as the program would.
func accepted(t *testing.T, command []string, env map[string]string) {
	t.Helper()
	folder := filepath.Join(deployFolder, "kubernetes/base/config")
	for name, value := range env {
		t.Setenv(name, value)
	}
	if command[0] == "serve" {
		cfg, err := config.Load(filepath.Join(folder, filepath.Base(command[2])))
		if err == nil {
			_, err = cfg.Router("", nil) // it reads keys
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	names, rest := leading(command[1:])
	if _, ok := commands[command[0]]; !ok || len(rest) != 2 || rest[0] != "--config" {
		t.Errorf("agora does not take %v", command)
		return
	}
	cfg, err := readSettings(filepath.Join(folder, filepath.Base(rest[1])))
	if err != nil {
		t.Error(err)
		return
	}
	if len(names) == 0 {
		names = []string{}
		for _, name := range []string{"users", "products", "inventory", "orders", "payments", "provider"} {
			if !slices.Contains(cfg.kept(), name) {
				t.Errorf("%v: there is no database of %s", command, name)
			}
		}
	}
	if err := errors.Join(cfg.check(names), cfg.checkDoor()); err != nil {
		t.Error(err)
	}
	if at := strings.TrimPrefix(cfg.Listen, "0.0.0.0:"); at != "4001" {
		t.Errorf("services listen at %s", cfg.Listen)
	}
}

func TestContainersAreSetUpWithWhatTheProgramsAccept(t *testing.T) {
	project, err := composeProject(t, deployFolder+"development.env")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range project.Services {
		for dependency := range s.DependsOn {
			if _, ok := project.Services[dependency]; !ok {
				t.Errorf("%s waits for %s, which there is not", name, dependency)
			}
		}
		for _, c := range s.Configs {
			if _, err := os.Stat(project.Configs[c.Source].File); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s.Build == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for key, value := range s.Environment {
				env[key] = *value
			}
			command := s.Command
			if command == nil {
				command = types.ShellCommand{"serve", "--config", "/etc/agora/config/router.yaml"} // the image's
			}
			accepted(t, command, env)
		})
	}
	for _, name := range append(slices.Clone(distributed), "router") {
		want := 2
		if name == "provider" {
			want = 1
		}
		if s, ok := project.Services[name]; !ok || s.Deploy == nil || *s.Deploy.Replicas != want {
			t.Errorf("%s has not %d replicas", name, want)
		}
	}
}

func TestContainersHaveNoPasswordsButThoseThatOneSets(t *testing.T) {
	t.Parallel()
	if _, err := composeProject(t, ""); err == nil || !strings.Contains(err.Error(), "set it, see tools/deploy/development.env") {
		t.Errorf("without an environment: %v", err)
	}
}

// manifest is what of a Kubernetes object is looked at.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Selector       any
		ScaleTargetRef struct{ Name string } `yaml:"scaleTargetRef"`
		Ports          []struct {
			TargetPort string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Containers []struct {
					Args  []string
					Image string
					Env   []struct{ Name string }
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					LivenessProbe  map[string]any `yaml:"livenessProbe"`
					ReadinessProbe map[string]any `yaml:"readinessProbe"`
					Resources      map[string]any
				}
			}
		}
	}
}

// manifests are the objects of the base.
func manifests(t *testing.T) []manifest {
	t.Helper()
	base := filepath.Join(deployFolder, "kubernetes/base")
	var k struct{ Resources []string }
	source, err := os.ReadFile(filepath.Join(base, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, &k); err != nil {
		t.Fatal(err)
	}
	var all []manifest
	for _, name := range k.Resources {
		source, err := os.ReadFile(filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		for document := range bytes.SplitSeq(source, []byte("\n---\n")) {
			var m manifest
			if err := yaml.Unmarshal(document, &m); err != nil || m.Kind == "" || m.Metadata.Name == "" {
				t.Errorf("%s: %+v %v", name, m, err)
			}
			all = append(all, m)
		}
	}
	return all
}

func TestKubernetesIsSetUpWithWhatTheProgramsAccept(t *testing.T) {
	all := manifests(t)
	secrets, err := dotenv.Read(deployFolder + "kubernetes/overlays/development/secrets.env")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]manifest{}
	for _, m := range all {
		kinds[m.Kind+" "+m.Metadata.Name] = m
	}
	for _, name := range append(slices.Clone(distributed), "router") {
		for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"} {
			m, ok := kinds[kind+" "+name]
			if !ok {
				if name != "provider" {
					t.Errorf("%s has no %s", name, kind)
				}
				continue
			}
			label := "app.kubernetes.io/name:" + name + "]"
			if kind != "HorizontalPodAutoscaler" && !strings.Contains(fmt.Sprint(m.Spec.Selector), label) {
				t.Errorf("the %s of %s selects %v", kind, name, m.Spec.Selector)
			}
			if kind == "HorizontalPodAutoscaler" && m.Spec.ScaleTargetRef.Name != name {
				t.Errorf("the autoscaler of %s scales %s", name, m.Spec.ScaleTargetRef.Name)
			}
		}
		pod := kinds["Deployment "+name].Spec.Template
		c := pod.Spec.Containers[0]
		if pod.Metadata.Labels["app.kubernetes.io/name"] != name || c.Ports[0].Name != kinds["Service "+name].Spec.Ports[0].TargetPort {
			t.Errorf("the service of %s does not lead to it", name)
		}
		if c.LivenessProbe == nil || c.ReadinessProbe == nil {
			t.Errorf("%s has no probes", name)
		}
		if c.Resources["requests"] == nil || c.Resources["limits"] == nil {
			t.Errorf("%s has no bounds", name)
		}
	}
	for key, m := range kinds {
		if m.Kind != "Deployment" && m.Kind != "Job" {
			continue
		}
		t.Run(key, func(t *testing.T) {
			env := map[string]string{}
			for _, e := range m.Spec.Template.Spec.Containers[0].Env {
				env[e.Name] = secrets[e.Name]
			}
			accepted(t, m.Spec.Template.Spec.Containers[0].Args, env)
		})
	}
}

func TestSecretsOfDevelopersNameWhatKubernetesAsksFor(t *testing.T) {
	t.Parallel()
	secrets, err := dotenv.Read(deployFolder + "kubernetes/overlays/development/secrets.env")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`key: ([A-Z_]+)`)
	files, _ := filepath.Glob(deployFolder + "kubernetes/base/*.yaml")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range asked.FindAllStringSubmatch(string(source), -1) {
			if secrets[found[1]] == "" {
				t.Errorf("%s: the secret %s is not set", file, found[1])
			}
		}
	}
	var scripts []string
	for _, file := range []string{"postgres/databases.sh", "kubernetes/overlays/development/databases.sh"} {
		source, err := os.ReadFile(deployFolder + file)
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, string(source))
	}
	if scripts[0] != scripts[1] {
		t.Error("containers and Kubernetes make other databases")
	}
}
